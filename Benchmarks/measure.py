"""Measures Unfold beside PyTorch, JAX and ONNX Runtime on the same work, by turns.

    python3 Benchmarks/measure.py                      # everything: about an hour and a half
    python3 Benchmarks/measure.py --configs bd --systems torch --rounds 5 --generate ""

Makes an environment for the peers from peers/requirements.txt under .build, once. A round runs every
system once, each in a process of its own, one after the other; a figure is the median of its rounds,
and a ratio the median of the rounds' ratios. Prints a line a round on standard error, and writes
Documentation/Results/performance.json and, for people, performance.md beside it. Run it on a machine that does nothing else.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "Benchmarks" / "peers"
UNFOLD = ROOT / ".build" / "release" / "unfold"


def environment(given):
    """The Python that the peers run in."""
    if given:
        return given
    folder = ROOT / ".build" / "peers"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        requirements = PEERS / "requirements.txt"
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", requirements], check=True)
    return python


def last_json(command):
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=PEERS).stdout
    return json.loads(output.decode().strip().splitlines()[-1])


def train(system, config, optimiser, arguments):
    common = ["--config", config, "--optimiser", optimiser, "--seconds", str(arguments.seconds)]
    if system == "unfold":
        command = [UNFOLD, "benchmark", *common, "--threads", str(arguments.threads), "--json"]
        result = last_json(command)
        return result["tokens_per_second"], result["peak_rss_mib"]
    command = [arguments.python, "train_speed.py", "--system", system, *common]
    result = last_json([*command, "--threads", str(arguments.threads)])
    return result["tokens_per_s"], result["peak_rss_mib"]


def generate(system, name, arguments):
    """`name` is a configuration, with a number of texts side by side or with smaller weights, which
    only Unfold has: char, word*64, word:int8."""
    config, weights = (name + ":float32").split(":")[:2]
    config, streams = (config + "*1").split("*")[:2]
    common = ["--streams", streams, "--threads", str(arguments.threads)]
    if system == "unfold":
        command = [UNFOLD, "benchmark", "--generate", config, "--weights", weights, *common]
        result = last_json([*command, "--seconds", str(arguments.seconds), "--json"])
        return result["tokens_per_second"], result["first_token_seconds"]
    models = ROOT / ".build" / "peer-models"
    command = [arguments.python, "generate_speed.py", "--system", system, "--config", config]
    result = last_json([*command, "--models", models, *common])
    rate = max(result["tokens_per_s"], result.get("tokens_per_s_256_a_call", 0))
    return rate, result["first_token_s"]


def interleaved(systems, rounds, measure, name):
    """Medians by system, and the median ratio of Unfold to each peer."""
    figures = {system: [] for system in systems}
    for index in range(rounds):
        for system in systems:
            figures[system].append(measure(system))
        line = "  ".join(f"{s} {figures[s][-1][0]:,.0f}" for s in systems)
        print(f"{name} round {index + 1}/{rounds}:  {line}", file=sys.stderr, flush=True)
    result = {"measured": name}
    for system in systems:
        rates = [rate for rate, _ in figures[system]]
        entry = {
            "tokens_per_second": statistics.median(rates),
            "lowest": min(rates),
            "highest": max(rates),
            "second_figure": statistics.median(second for _, second in figures[system]),
        }
        if system != "unfold":
            ratios = [a[0] / b[0] for a, b in zip(figures["unfold"], figures[system])]
            entry["unfold_over_this"] = round(statistics.median(ratios), 3)
        result[system] = entry
    return result


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


NAMES = {
    "a": "characters, LSTM 2×128, B 50, T 50, V 65",
    "b": "characters, LSTM 2×512, B 50, T 50, V 96",
    "c": "words, LSTM 2×200, B 20, T 20, V 10,000",
    "d": "words, LSTM 2×650, B 20, T 35, V 10,000",
    "e": "characters, Elman 1×512, B 32, T 64, V 96",
    "f": "characters, GRU 2×512, B 64, T 50, V 96",
    "char": "one text, LSTM 2×512, V 96",
    "char:float16": "one text, LSTM 2×512, V 96, weights of 16 bits (peers: 32)",
    "char:int8": "one text, LSTM 2×512, V 96, weights of 8 bits (peers: 32)",
    "char*64": "64 texts at once, LSTM 2×512, V 96",
    "word": "one text, LSTM 2×1024, V 10,000",
    "word:float16": "one text, LSTM 2×1024, V 10,000, weights of 16 bits (peers: 32)",
    "word:int8": "one text, LSTM 2×1024, V 10,000, weights of 8 bits (peers: 32)",
    "word*64": "64 texts at once, LSTM 2×1024, V 10,000",
}


def table(entries, second, digits):
    """Rows of Markdown: Unfold beside each peer."""
    lines = []
    for entry in entries:
        name = f"{entry['config']} {NAMES[entry['config']]}"
        if "optimiser" in entry:
            name += f", {entry['optimiser']}"
        own = entry["unfold"]
        for system, figures in entry.items():
            if not isinstance(figures, dict) or system == "unfold":
                continue
            lines.append(
                f"| {name} | {own['tokens_per_second']:,.0f} | {own['second_figure']:,.{digits}f} "
                f"| {system} | {figures['tokens_per_second']:,.0f} "
                f"({figures['lowest']:,.0f} to {figures['highest']:,.0f}) "
                f"| {figures['second_figure']:,.{digits}f} | {figures['unfold_over_this']:.2f} |"
            )
    head = f"| | Unfold, tokens/s | {second} | peer | tokens/s (range) | {second} | ratio |"
    return "\n".join([head, "| --- | ---: | ---: | --- | ---: | ---: | ---: |", *lines])


def markdown(report, arguments):
    machine = report["machine"]
    return f"""# Speed

{machine['cores']} cores of {machine['processor']}, {machine['system']}; {arguments.threads} threads. Medians of {arguments.rounds} rounds by turns; a ratio is the median of the rounds' ratios.

    python3 Benchmarks/measure.py --configs {arguments.configs} --systems {arguments.systems} --optimisers {arguments.optimisers} --generate {arguments.generate or '""'} --generators {arguments.generators} --rounds {arguments.rounds} --seconds {arguments.seconds:g}

## Training

{table(report['training'], 'peak MiB', 0)}

## Generation

{table(report['generation'], 'first token, s', 3)}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--configs", default="abcdef")
    parser.add_argument("--optimisers", default="sgd,adam")
    parser.add_argument("--systems", default="torch,jax")
    everything = "char,char:float16,char:int8,char*64,word,word:float16,word:int8,word*64"
    parser.add_argument("--generate", default=everything, help="empty for none")
    parser.add_argument("--generators", default="torch-nomkldnn,onnx,jax,torch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--python", help="a Python that has the peers, instead of making one")
    parser.add_argument("--output", default=ROOT / "Documentation/Results/performance.json")
    arguments = parser.parse_args()
    arguments.python = environment(arguments.python)
    subprocess.run(["swift", "build", "-c", "release", "--product", "unfold"], cwd=ROOT, check=True)

    training, generation = [], []
    for optimiser in filter(None, arguments.optimisers.split(",")):
        for config in arguments.configs:
            systems = ["unfold", *filter(None, arguments.systems.split(","))]
            measure = lambda system: train(system, config, optimiser, arguments)
            entry = interleaved(systems, arguments.rounds, measure, f"{config} {optimiser}")
            training.append({"config": config, "optimiser": optimiser, **entry})
    for config in filter(None, arguments.generate.split(",")):
        systems = ["unfold", *filter(None, arguments.generators.split(","))]
        measure = lambda system: generate(system, config, arguments)
        entry = interleaved(systems, arguments.rounds, measure, f"generate {config}")
        generation.append({"config": config, **entry})
    machine = {"processor": processor(), "cores": os.cpu_count(), "system": platform.platform()}
    report = {
        "machine": machine,
        "second_figure": {"training": "peak resident MiB", "generation": "first token, seconds"},
        "training": training,
        "generation": generation,
    }
    output = Path(arguments.output)
    output.write_text(json.dumps(report, indent=1) + "\n")
    output.with_suffix(".md").write_text(markdown(report, arguments))
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
