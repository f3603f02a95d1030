#!/usr/bin/env python3
"""Reads a run's event files with TensorBoard's own EventAccumulator and compares them with the
run's metrics.jsonl: every logged step is there once, with the same numbers.

    pip install tensorboard
    python3 Scripts/check-tensorboard.py RUN
"""

import json
import math
import pathlib
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def metrics(run):
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if "is_best" not in line]
    evaluations = [line for line in lines if "is_best" in line]
    return steps, evaluations


def main():
    run = pathlib.Path(sys.argv[1])
    events = EventAccumulator(str(run), size_guidance={"scalars": 0, "histograms": 0})
    events.Reload()
    steps, evaluations = metrics(run)
    compared = 0

    def check(tag, expected):
        nonlocal compared
        if not expected:
            return
        found = [event for event in events.Scalars(tag)]
        numbers = [event.step for event in found]
        assert numbers == sorted(set(numbers)), f"{tag}: steps out of order or twice: {numbers}"
        values = {event.step: event.value for event in found}
        for step, value in expected:
            assert step in values, f"{tag} lacks step {step}"
            assert math.isclose(values[step], value, rel_tol=1e-6, abs_tol=1e-30), (
                f"{tag} at step {step}: {values[step]}, not {value}")
            compared += 1

    def of(lines, key):
        return [(line["step"], float(line[key])) for line in lines if line.get(key) is not None]

    check("loss/training_window", of(steps, "training_nats_per_token"))
    check("learning_rate", of(steps, "learning_rate"))
    check("gradient_norm/all", of(steps, "gradient_norm"))
    check("loss/training", of(evaluations, "training_nats_per_token"))
    check("loss/validation", of(evaluations, "validation_nats_per_token"))
    check("perplexity/validation", of(evaluations, "validation_perplexity"))
    for key, group in (("gradient_norms", "gradient_norm"), ("update_ratios", "update_ratio")):
        for name in steps[0][key]:
            check(f"{group}/{name}", [(line["step"], line[key][name]) for line in steps])
    assert len(events.Scalars("tokens_per_second")) >= len(steps)

    tags = events.Tags()["histograms"]
    expected = [line["step"] for line in evaluations]
    for tag in tags:
        found = events.Histograms(tag)
        assert [event.step for event in found] == expected, f"{tag}: {[e.step for e in found]}"
        for event in found:
            value = event.histogram_value
            assert sum(value.bucket) == value.num and value.min <= value.max, tag
    assert not evaluations or len(tags) == 2 * len(steps[0]["gradient_norms"]), tags
    print(f"{compared} scalars and {len(tags) * len(expected)} histograms agree.")


main()
