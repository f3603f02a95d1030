"""Measures Unfold beside PyTorch, JAX and ONNX Runtime on the same work, by turns.

    python3 Benchmarks/measure.py                        # every table: about four hours
    python3 Benchmarks/measure.py --tables training --configs bd --peers torch --rounds 9
    python3 Benchmarks/measure.py --only-document        # the document again, from what was measured

Makes an environment for the peers from peers/requirements.txt under .build, once; a smaller build of
a package, such as PyTorch's for processors only, is taken where pip's own settings lead to one
(PIP_FIND_LINKS, PIP_EXTRA_INDEX_URL). A round runs every system once, each in a process of its own,
one after the other. What was measured is added to Documentation/Results/performance/MACHINE.json after
each comparison and takes the place of an earlier one of the same kind, so that tables can be measured
in parts; then Documentation/Performance.md and the machines' pages and charts are made from these
files. Run it on a machine that does nothing else.
"""

import argparse
import datetime
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

from results import Results
from tables import TABLES, comparisons

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / "Benchmarks"


def environment(given):
    """The Python that the peers and the charts run in."""
    if given:
        return Path(given)
    folder = ROOT / ".build" / "peers"
    python = folder / "bin" / "python"
    finished = folder / "finished"
    if not finished.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        requirements = BENCHMARKS / "peers" / "requirements.txt"
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", requirements], check=True)
        finished.touch()
    return python


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def machine_name():
    """A name for this machine's figures: of the processor, with what tells its generations apart."""
    words = [processor()]
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        for field in ("cpu family", "model\t"):
            words += [next(l.split(":")[1].strip() for l in lines if l.startswith(field))]
    except (OSError, StopIteration):
        pass
    return re.sub(r"[^a-z0-9]+", "-", " ".join(words).lower()).strip("-") or "machine"


def machine():
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release().split('-')[0]}, {platform.machine()}",
        "date": datetime.date.today().isoformat(),
    }


def measure(comparison, arguments, results):
    """Runs all systems of a comparison by turns and stores their rounds."""
    rounds = {peer: [] for peer in comparison.peers} or {"alone": []}
    count = min(arguments.rounds, comparison.most_rounds)
    for index in range(count):
        own = comparison.own()
        line = [f"unfold {comparison.show(own)}"]
        for peer, run in comparison.peers.items():
            other = run()
            rounds[peer].append({"unfold": own, "peer": other})
            line.append(f"{peer} {comparison.show(other) if other else 'failed'}")
        if not comparison.peers:
            rounds["alone"].append({"unfold": own})
        name = f"{comparison.table} {comparison.key}"
        print(f"{name}, round {index + 1} of {count}: ", "  ".join(line), file=sys.stderr, flush=True)
    settings = {"seconds": arguments.seconds, "threads": arguments.threads, **machine()}
    for peer, figures in rounds.items():
        results.store(comparison.table, comparison.key, peer, figures, settings)
    results.save()


def document(python):
    subprocess.run([python, BENCHMARKS / "document.py", ROOT / "Documentation"], check=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = ",".join(TABLES)
    parser.add_argument("--tables", default=names, help=f"some of {names}")
    parser.add_argument("--configs", default="abcdef", help="training configurations")
    parser.add_argument("--optimisers", default="sgd,adam")
    parser.add_argument("--peers", help="only these, for example torch,jax")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5, help="of measurement in each process")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--text", type=Path, help="tiny Shakespeare, for the table of quality")
    parser.add_argument("--nanogpt", type=Path, help="a clone of nanoGPT, for the same")
    parser.add_argument("--python", help="a Python that has the peers, instead of making one")
    parser.add_argument("--machine", default=machine_name(), help="how the figures' file is named")
    parser.add_argument("--only-document", action="store_true", help="measure nothing")
    arguments = parser.parse_args()
    unknown = set(arguments.tables.split(",")) - set(TABLES)
    if unknown:
        parser.error(f"there is no table {', '.join(sorted(unknown))}; there are {names}")
    arguments.python = environment(arguments.python)
    if not arguments.only_document:
        subprocess.run(["swift", "build", "-c", "release", "--product", "unfold"], cwd=ROOT, check=True)
        results = Results(ROOT / "Documentation/Results/performance" / f"{arguments.machine}.json")
        for comparison in comparisons(arguments):
            measure(comparison, arguments, results)
    document(arguments.python)


if __name__ == "__main__":
    main()
