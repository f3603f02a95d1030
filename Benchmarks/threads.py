"""How the work of a training step is divided for N threads: the table of Documentation/Threads.md.

    python3 Benchmarks/threads.py [--panel 32] [--transfer 60] [--rate 225]

Computed from the rules in Compute.parts and team.c, not measured.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "peers"))
from configurations import TRAINING

GATES = {"lstm": 4, "gru": 3, "rnn": 1}


def shares(hidden, batch, threads, panel):
    """Items of one time step, and the rows × blocks of each thread's share of them."""
    blocks = -(-hidden // panel)
    evenness = lambda parts: blocks * parts / (-(-blocks * parts // threads) * threads)
    candidates = range(1, max(1, min(threads, batch // 4)) + 1)
    even = [parts for parts in candidates if evenness(parts) >= 0.97]
    parts = even[0] if even else max(candidates, key=lambda parts: (evenness(parts), -parts))
    items = blocks * parts
    rows = [batch * (p + 1) // parts - batch * p // parts for p in range(parts)]
    weight = [rows[item % parts] for item in range(items)]
    bounds = [items * t // threads for t in range(threads + 1)]
    return items, [sum(weight[bounds[t]:bounds[t + 1]]) for t in range(threads)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--panel", type=int, default=32, help="units of a block: 32, 16 or 8")
    parser.add_argument("--transfer", type=float, default=60, help="ns to move a cache line")
    parser.add_argument("--rate", type=float, default=225, help="GFLOP/s of products on a thread")
    a = parser.parse_args()
    print("| | threads | items | evenness | meetings | work between, µs | meeting, µs | speed-up |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, c in TRAINING.items():
        padded = -(-c.hidden // a.panel) * a.panel
        operations = 2 * c.batch * GATES[c.cell] * padded * c.hidden
        alone = operations / a.rate / 1e3  # µs of one time step on one thread
        for threads in (2, 4, 8, 16):
            items, share = shares(c.hidden, c.batch, threads, a.panel)
            evenness = sum(share) / threads / max(share)
            work = alone / threads / evenness
            meeting = items * a.transfer / 1e3
            print(
                f"| {name} | {threads} | {items} | {100 * evenness:.0f} % "
                f"| {2 * c.layers * c.steps} | {work:.1f} | {meeting:.1f} "
                f"| {alone / (work + meeting):.1f} |"
            )


if __name__ == "__main__":
    main()
