"""Writes Documentation/Performance.md, and a page with charts for each machine, from the figures that
measure.py stored.

    python document.py Documentation
"""

import statistics
import sys
from pathlib import Path

from charts import charts
from results import Results

CONFIGS = {
    "a": "characters, LSTM 2×128, B 50, T 50, V 65",
    "b": "characters, LSTM 2×512, B 50, T 50, V 96",
    "c": "words, LSTM 2×200, B 20, T 20, V 10,000",
    "d": "words, LSTM 2×650, B 20, T 35, V 10,000",
    "e": "characters, Elman 1×512, B 32, T 64, V 96",
    "f": "characters, GRU 2×512, B 64, T 50, V 96",
}
GENERATION = {
    "char": "one text, LSTM 2×512, V 96",
    "char:float16": "one text, LSTM 2×512, V 96, weights of 16 bits (peers: 32)",
    "char:int8": "one text, LSTM 2×512, V 96, weights of 8 bits (peers: 32)",
    "char*64": "64 texts at once, LSTM 2×512, V 96",
    "word": "one text, LSTM 2×1024, V 10,000",
    "word:float16": "one text, LSTM 2×1024, V 10,000, weights of 16 bits (peers: 32)",
    "word:int8": "one text, LSTM 2×1024, V 10,000, weights of 8 bits (peers: 32)",
    "word*64": "64 texts at once, LSTM 2×1024, V 10,000",
}


def rows(head, lines):
    """A table of Markdown: names to the left, numbers to the right."""
    rule = ["---" if title in ("", "peer", "machine", "training configuration") else "---:" for title in head]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *lines])


def spread(comparison, name, own, digits=0):
    """The median and, in brackets, the range."""
    middle, ends = comparison.median(name, own), comparison.range(name, own)
    if middle is None:
        return "–"
    return f"{middle:,.{digits}f} ({ends[0]:,.{digits}f} to {ends[1]:,.{digits}f})"


def ratio(value):
    return "–" if value is None else f"{value:.2f}"


def throughput(results, table, names):
    """A line for each configuration and peer: rates, their ratio, memory and its share."""
    lines = []
    for key in results.keys(table):
        for peer in results.peers(table, key):
            found = results.comparison(table, key, peer)
            share = found.ratio("peak_mib")
            lines.append([
                names(key), peer, spread(found, "rate", True), spread(found, "rate", False),
                f"**{ratio(found.ratio('rate'))}**",
                f"{found.median('peak_mib') or 0:,.0f}",
                f"{found.median('peak_mib', False) or 0:,.0f}",
                "–" if share is None else f"{100 * share:.0f} %",
            ])
    head = ["", "peer", "Unfold, tokens/s", "peer, tokens/s", "ratio", "MiB", "peer, MiB", "share"]
    return rows(head, lines)


def named(key):
    config, optimiser = key.split()
    return f"{config}, {optimiser}"


def peak_section(results):
    peak = results.comparison("peak", "machine", "alone")
    if peak is None:
        return ""
    most = peak.median("gflops")
    lines = []
    for key in results.keys("training"):
        rates = [
            results.comparison("training", key, peer).median("gflops")
            for peer in results.peers("training", key)
        ]
        rates = [rate for rate in rates if rate]
        if rates:
            rate = statistics.median(rates)
            lines.append([named(key), f"{rate:,.0f}", f"{100 * rate / most:.0f} %"])
    kernels = peak.own[0]["kernels"]
    return f"""## Share of the machine's peak

Peak: {spread(peak, 'gflops', True)} GFLOP/s on {peak.own[0]['threads']} threads, {spread(peak, 'gflops_one_thread', True)} on one, with {kernels}: multiplications and additions in registers only (`unfold doctor`). What is counted of a step is its matrix products as they are really done, 2 operations for a multiplication and an addition (`unfold benchmark` prints the rate, `--profile` each phase): the input products (of each token of the vocabulary once, where that is less work than of each input), the recurrence forward and backward, the gradients of weights and inputs, and the readout, forward and backward. Units that fill up a last block are counted, and so is, going back, the first of the T steps, whose product nobody needs. Gates, softmax, clipping and the update take time and count nothing, so the share is of the whole step.

{rows(["", "GFLOP/s", "share of the peak"], lines)}

![Share of the peak](peak.svg)
"""


def generation_section(results):
    lines = []
    for key in results.keys("generation"):
        for peer in results.peers("generation", key):
            found = results.comparison("generation", key, peer)
            lines.append([
                GENERATION.get(key, key), peer, spread(found, "rate", True),
                spread(found, "rate", False), f"**{ratio(found.ratio('rate'))}**",
                f"{1e3 * (found.median('first_s') or 0):,.0f}",
                f"{1e3 * (found.median('first_s', False) or 0):,.0f}",
            ])
    head = ["", "peer", "Unfold, tokens/s", "peer, tokens/s", "ratio", "first token, ms", "peer's, ms"]
    return rows(head, lines)


def together_section(results):
    lines = []
    for key in results.keys("together"):
        found = results.comparison("together", key, "alone")
        lines.append([key] + [spread(found, name, True) for name in ("alone", "first", "second")]
                     + [f"{found.median('share'):.2f}"])
    head = ["", "alone, tokens/s", "first of two", "second of two", "sum ÷ alone"]
    return rows(head, lines)


def quality_section(results):
    lines, seen = [], False
    for peer in results.peers("quality", "tinyshakespeare"):
        found = results.comparison("quality", "tinyshakespeare", peer)
        for name, own in (("Unfold, the command's defaults", True), (peer, False)):
            if own and seen:
                continue
            seen = seen or own
            lines.append([
                name, f"{found.median('seconds', own):,.0f}", f"{found.median('nats', own):.3f}"
            ])
    return rows(["", "wall time, s", "nats a character"], lines)


SECTIONS = [
    ("training", "Training", """Forward, backward, clipping by global norm, update, with the state carried from window to window; fp32. PyTorch in the faster of its optimiser's forms (`foreach`, `fused`), JAX in the faster of two ways to write the scan. A ratio is how many times as fast Unfold is; memory is the most that the process had resident, and its share Unfold's part of the peer's.

![Times as fast as the peer](training.svg)

![Peak resident memory](memory.svg)
""", lambda results: throughput(results, "training", named)),
    ("small", "Small batches", "The same with B 16 and T 32: more updates for the same text, which is what reaches a given loss soonest.\n",
     lambda results: throughput(results, "small", named)),
    ("own-cell", "A user's own cell", "An LSTM written with tensor operations and differentiated by the tape (`unfold benchmark --own-cell`), beside the same cell in a Python loop of PyTorch's operations, as it is and with the cell under `torch.compile` (`Benchmarks/peers/own_cell.py`).\n",
     lambda results: throughput(results, "own-cell", named)),
    ("generation", "Generation", "![Times as fast as the peer](generation.svg)\n", generation_section),
    ("quality", "Time to quality", "Tiny Shakespeare by characters: the last tenth is for validation, in one stream with the state carried (nanoGPT: its own estimate on 20 random batches). Wall time of the whole process.\n\n![Loss over time](quality.svg)\n", quality_section),
    ("together", "Two trainings at once", "Both use as many threads as there are processors.\n", together_section),
]


def all_comparisons(results):
    return [
        (table, key, peer, results.comparison(table, key, peer))
        for table in results.tables for key in results.keys(table)
        for peer in results.peers(table, key)
    ]


def machine(results):
    """What the machine is, in words, and when it was measured."""
    settings = [found.settings for *_, found in all_comparisons(results)]
    newest = max(settings, key=lambda s: s["date"])
    dates = sorted({s["date"] for s in settings})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    return (
        f"{newest['cores']} cores of {newest['processor']}, {newest['system']}, "
        f"{newest['threads']} threads; {when}"
    )


def introduction(results, name):
    found = all_comparisons(results)
    versions = sorted({
        f"{peer.split('-')[0]} {other['version']}"
        for _, _, peer, c in found for other in c.others if other.get("version")
    })
    return f"""{machine(results)}. {', '.join(versions)}.

    python3 Benchmarks/measure.py --machine {name}

Every system runs in a process of its own, by turns; figures are medians of rounds with their range, a ratio is the median of the rounds' ratios. Every figure of every round is in [{name}.json](../Results/performance/{name}.json).
"""


def rounds(results, table):
    """Of how many rounds the medians of a table are, and how long each process measured."""
    found = [c for name, _, _, c in all_comparisons(results) if name == table]
    spread = lambda values: " to ".join(f"{n:g}" for n in sorted({min(values), max(values)}))
    counts = spread([c.count for c in found])
    seconds = spread([c.settings["seconds"] for c in found])
    return f"{counts} {'round' if counts == '1' else 'rounds'}, {seconds} s of measurement in each process.\n"


def page(results, name, folder):
    """The page of one machine, with its charts in a folder of its name beside it."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    drawn = charts(results, folder / name, CONFIGS)
    text = [f"# Performance on {name}\n", introduction(results, name), configurations()]
    for table, title, words, section in SECTIONS:
        if not results.keys(table):
            continue
        # A training to some quality takes as long as it takes.
        timing = [] if table == "quality" else [rounds(results, table)]
        text += [f"## {title}\n", words, *timing, section(results) + "\n"]
        if table == "training":
            text += [peak_section(results)]
    kept = []
    for line in "\n".join(text).split("\n"):
        if line.startswith("!["):
            # A chart for which there are no figures yet isn't drawn.
            chart = line.split("(")[1][:-1]
            if chart not in drawn:
                continue
            line = line.replace(chart, f"{name}/{chart}")
        kept.append(line)
    (folder / f"{name}.md").write_text("\n".join(kept).rstrip() + "\n")


def configurations():
    return rows(["", "training configuration"], [[k, v] for k, v in CONFIGS.items()]) + "\n"


def overview(machines):
    """The ratios of all machines side by side."""
    text = ["# Performance\n", "How many times as fast as its peers Unfold is, on each machine that was measured, by the command `python3 Benchmarks/measure.py`: medians of the rounds' ratios. The pages of the machines have the rates themselves, their spread, memory, the share of the machine's peak, and charts.\n"]
    text += [rows(["", "machine"], [
        [f"[{name}](Performance/{name}.md)", machine(results)] for name, results in machines.items()
    ]) + "\n", configurations()]
    for table, title, *_ in SECTIONS:
        lines = compared(table, machines)
        if lines:
            text += [f"## {title}\n", rows(["", "peer", *machines], lines) + "\n"]
    return "\n".join(text).rstrip() + "\n"


def compared(table, machines):
    """A line for each key and peer of a table that has rates: the ratio on each machine."""
    pairs = sorted({
        (key, peer) for results in machines.values()
        for key in results.keys(table) for peer in results.peers(table, key)
    })
    lines = []
    for key, peer in pairs:
        found = [results.comparison(table, key, peer) for results in machines.values()]
        ratios = [ratio(c.ratio("rate") if c else None) for c in found]
        if any(r != "–" for r in ratios):
            lines.append([GENERATION.get(key) or key.replace(" ", ", "), peer, *ratios])
    return lines


def main():
    documentation = Path(sys.argv[1])
    files = sorted((documentation / "Results" / "performance").glob("*.json"))
    machines = {file.stem: Results(file) for file in files}
    for name, results in machines.items():
        page(results, name, documentation / "Performance")
    (documentation / "Performance.md").write_text(overview(machines))


if __name__ == "__main__":
    main()
