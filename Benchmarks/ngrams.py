"""Measures n-gram models beside KenLM's, on the same texts, by turns.

    python3 Benchmarks/ngrams.py --kenlm kenlm/build/bin --train train.txt --test test.txt
    python3 Benchmarks/ngrams.py --kenlm kenlm/build/bin --make 100000000 --memory 1G

KenLM's programs lmplz, build_binary and query come from https://github.com/kpu/kenlm. A round runs
each program once, one after the other, in a process of its own; a figure is the median of its rounds:
seconds of wall time, seconds of processor time, and the peak of the memory in MiB. KenLM refuses
texts with <unk>, so it gets one where that is spelled otherwise. --make N makes a text of N bytes
from a seed: words with Zipf's frequencies, of which a third depends on the two words before, a third
on the one before, and a third on nothing. Prints a table, or with --json one object a line.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

UNFOLD = Path(__file__).resolve().parent.parent / ".build" / "release" / "unfold"


def make_text(path, size, seed=1):
    """A seeded chain of words; needs numpy."""
    import numpy

    vocabulary, lines = 300_000, 20_000
    generator = numpy.random.default_rng(seed)

    def spell(number):
        text, number = "", number + 1
        while number:
            text += "etaoinshrdlucmfwypvbgkjqxz"[number % 26]
            number //= 26
        return text

    def mixed(numbers):
        mixed = numbers.astype(numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> numpy.uint64(29)
        mixed *= numpy.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> numpy.uint64(32)
        return (mixed >> numpy.uint64(11)).astype(numpy.float64) / 2.0**53

    words = [spell(number) for number in range(vocabulary)]
    share = numpy.cumsum(1 / (numpy.arange(vocabulary) + 2.7))
    share /= share[-1]
    written = 0
    with open(path, "w") as file:
        while written < size:
            lengths = generator.integers(5, 46, lines)
            first = last = numpy.zeros(lines, dtype=numpy.int64)
            steps = []
            for _ in range(45):
                kind = generator.random(lines)
                choice = numpy.floor(12 * generator.random(lines) ** 3).astype(numpy.int64)
                free = numpy.searchsorted(share, generator.random(lines))
                after_one = numpy.searchsorted(share, mixed(last * 64 + choice + 99_999_999))
                after_two = numpy.searchsorted(
                    share, mixed(first * 1_000_003 + last * 64 + choice + 7))
                word = numpy.where(
                    kind < 0.35, free, numpy.where(kind < 0.7, after_one, after_two))
                steps.append(word)
                first, last = last, word
            for row, length in zip(numpy.stack(steps, 1).tolist(), lengths):
                line = " ".join(words[word] for word in row[:length]) + "\n"
                file.write(line)
                written += len(line)
                if written >= size:
                    break


def run(command, source=None, target=None):
    """Seconds of wall time and of processor time, and the peak of the memory in MiB."""
    with open(source or os.devnull) as stdin, open(target or os.devnull, "w") as stdout:
        begin = time.monotonic()
        process = subprocess.Popen(
            [str(word) for word in command], stdin=stdin, stdout=stdout, stderr=subprocess.PIPE)
        errors = process.stderr.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begin
    if status != 0:
        sys.exit(f"{command[0]} failed:\n{errors}")
    scale = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale


def measure(arguments, order, folder):
    train, test = arguments.train, folder / "test.txt"
    part = Path(arguments.test).read_text()
    repeats = max(1, 50_000_000 // max(1, len(part)))
    with open(test, "w") as file:
        for _ in range(repeats):
            file.write(part)
    spelled = {name: folder / f"kenlm-{name}.txt" for name in ("train", "test")}
    for source, name in ((train, "train"), (test, "test")):
        with open(source) as text, open(spelled[name], "w") as copy:
            for line in text:
                copy.write(line.replace("<unk>", "<unk>_"))
    arpa, binary = folder / "unfold.arpa", folder / "unfold.ngram"
    their_arpa, trie, probing = (folder / f"kenlm.{name}" for name in ("arpa", "trie", "probing"))
    build = [UNFOLD, "ngram", train, "--order", order, "--memory", arguments.memory]
    evaluate = lambda model: (lambda: run([UNFOLD, "evaluate", model, test]))
    kenlm = Path(arguments.kenlm)
    query = lambda model, of="summary": (
        lambda: run([kenlm / "query", "-v", of, model], spelled["test"]))
    score = lambda *options: (lambda: run([UNFOLD, "score", binary, test, *options]))
    binaries = lambda kind, out: (lambda: run([kenlm / "build_binary", kind, their_arpa, out]))
    return {
        "build, Unfold, ARPA": lambda: run([*build, "--out", arpa]),
        "build, KenLM, ARPA": lambda: run(
            [kenlm / "lmplz", "-o", order, "-S", arguments.memory, "-T", folder / "tmp",
             "--discount_fallback"], spelled["train"], their_arpa),
        "build, Unfold, binary": lambda: run([*build, "--out", binary]),
        "ARPA to binary, KenLM trie": binaries("trie", trie),
        "ARPA to binary, KenLM probing": binaries("probing", probing),
        "query, Unfold, ARPA": evaluate(arpa),
        "query, KenLM, ARPA": query(their_arpa),
        "query, Unfold, binary": evaluate(binary),
        "query, KenLM, trie": query(trie),
        "query, KenLM, probing": query(probing),
        "each line, Unfold, binary": score(),
        "each line, KenLM, probing": query(probing, "sentence"),
        "each word, Unfold, binary": score("--per-token"),
        "each word, KenLM, probing": query(probing, "word"),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kenlm", required=True, help="the folder with lmplz, build_binary, query")
    parser.add_argument("--train", help="the text that models are made of")
    parser.add_argument("--test", help="the text that is scored, 50 MB of repetitions of it")
    parser.add_argument("--make", type=int, help="make a text of so many bytes instead")
    parser.add_argument("--orders", type=int, nargs="+", default=[3, 5])
    parser.add_argument("--memory", default="1G", help="for building, of both")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.make:
            arguments.train, arguments.test = folder / "train.txt", folder / "part.txt"
            make_text(arguments.train, arguments.make, seed=1)
            make_text(arguments.test, 5_000_000, seed=2)
        if not (arguments.train and arguments.test):
            parser.error("name --train and --test, or --make a text")
        for order in arguments.orders:
            work = measure(arguments, order, folder)
            results = {name: [] for name in work}
            for _ in range(arguments.rounds):
                for name, task in work.items():
                    results[name].append(task())
            if not arguments.json:
                print(f"\norder {order}                        wall s    processor s   peak MiB")
            for name, runs in results.items():
                wall, processor, peak = (statistics.median(column) for column in zip(*runs))
                if arguments.json:
                    print(json.dumps({
                        "order": order, "measured": name, "wall_seconds": wall,
                        "processor_seconds": processor, "peak_mib": peak}))
                else:
                    print(f"{name:32}{wall:7.2f}{processor:12.2f}{peak:13.0f}", flush=True)


if __name__ == "__main__":
    main()
