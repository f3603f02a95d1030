"""Holds Unfold's language models to PyTorch's: training, step by step, and trained models."""

import argparse
import copy
import itertools
import json
import math
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import torch
from safetensors.torch import load_file

HERE = Path(__file__).resolve().parent
CELLS = ["lstm", "gru", "elman", "elman-relu"]
LAYERS, HIDDEN, EMBEDDING = 2, 64, 48
BATCH, WINDOW = 16, 32
RATE, CLIP_NORM = 0.002, 0.2
SEEDS = [1, 2, 3]
LOSS_TOLERANCE, LOGITS_TOLERANCE, PERPLEXITY_TOLERANCE = 1e-3, 1e-4, 1e-4
# Where a unit is all but on the kink of relu, a rounding decides whether it has a gradient, and
# Adam makes a whole step of the smallest: PyTorch's own precisions part from each other there.
RELU_LOSS_TOLERANCE = 2e-2


class Model(torch.nn.Module):
    """Embedding, recurrent layers, readout: its parameters have the names in our files."""

    def __init__(self, vocabulary, cell):
        super().__init__()
        self.embedding = torch.nn.Embedding(vocabulary, EMBEDDING)
        if cell in ("lstm", "gru"):
            self.core_name = cell
            core = getattr(torch.nn, cell.upper())(EMBEDDING, HIDDEN, LAYERS)
        else:
            self.core_name = "rnn"
            nonlinearity = "relu" if cell == "elman-relu" else "tanh"
            core = torch.nn.RNN(EMBEDDING, HIDDEN, LAYERS, nonlinearity=nonlinearity)
        self.add_module(self.core_name, core)
        self.decoder = torch.nn.Linear(HIDDEN, vocabulary)

    def forward(self, tokens, state):
        """Logits [T, B, V] for tokens [T, B], and the last state."""
        hidden, state = getattr(self, self.core_name)(self.embedding(tokens), state)
        return self.decoder(hidden), state


def detached(state):
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


def train(model, tokens, steps):
    """The loss and the gradients' norm of each step, on contiguous streams with carried state."""
    length = (len(tokens) - 1) // BATCH
    inputs = tokens[: length * BATCH].view(BATCH, length).T
    targets = tokens[1 : length * BATCH + 1].view(BATCH, length).T
    updates = length // WINDOW
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE)
    losses, norms, state = [], [], None
    for step in range(steps):
        start = step % updates * WINDOW
        state = None if start == 0 else detached(state)
        logits, state = model(inputs[start : start + WINDOW], state)
        loss = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), targets[start : start + WINDOW].flatten())
        optimiser.zero_grad()
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM).item())
        optimiser.step()
        losses.append(loss.item())
    return numpy.array(losses), numpy.array(norms)


def generated_text(characters):
    """Sentences of made-up words, some of them much more frequent than others."""
    source = random.Random(1)
    syllables = [c + v for c in "bdfgklmnprst" for v in "aeiou"]
    words = ["".join(source.choices(syllables, k=source.randint(1, 4))) for _ in range(300)]
    weights = [1 / (rank + 1) for rank in range(len(words))]
    text = ""
    while len(text) < characters:
        sentence = " ".join(source.choices(words, weights, k=source.randint(4, 12)))
        text += sentence.capitalize() + source.choice([". ", ".\n", "? "])
    return text


def output_of(*command):
    return subprocess.run(
        [str(part) for part in command], check=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True).stdout


def held_out_from(text):
    """Where the part begins on which Unfold doesn't train: the last tenth of the characters."""
    return int(len(text) * 90 / 100)


def compare_training(cell, seed, unfold, file, run, steps):
    """Trains with both from the same weights on the same batches."""
    text = file.read_bytes().decode()
    cut = held_out_from(text)
    updates = (cut - 1) // BATCH // WINDOW
    output_of(
        unfold, "train", file, "--cell", cell, "--layers", LAYERS, "--hidden", HIDDEN,
        "--embedding", EMBEDDING, "--dropout", 0, "--tokens", "characters", "--batch", BATCH,
        "--window", WINDOW, "--optimiser", "adam", "--learning-rate", RATE,
        "--schedule", "constant", "--clip-norm", CLIP_NORM, "--epochs", math.ceil(steps / updates),
        "--seed", seed, "--log-every", 1, "--checkpoint-seconds", 1e9, "--out", run)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    lines = [line for line in lines if "gradient_norm" in line][:steps]
    losses = numpy.array([line["training_nats_per_token"] for line in lines])
    norms = numpy.array([line["gradient_norm"] for line in lines])

    # The first checkpoint holds the weights before the first step.
    initial = load_file(run / "checkpoints" / "step-0000000000.safetensors")
    weights = {
        name.removeprefix("weights."): value
        for name, value in initial.items() if name.startswith("weights.")}
    model = Model(weights["embedding.weight"].shape[0], cell)
    model.load_state_dict(weights)
    spellings = json.loads((run / "best" / "vocabulary.json").read_text())["tokens"]
    numbers = {spelling: number for number, spelling in enumerate(spellings)}
    tokens = torch.tensor([numbers[character] for character in text[:cut]])
    precise = copy.deepcopy(model).double()
    expected, expected_norms = train(model, tokens, steps)
    exact, _ = train(precise, tokens, steps)
    assert len(losses) == steps, f"{len(losses)} steps were logged, not {steps}"
    return {
        "first": expected[0], "last": expected[-1],
        "loss": abs(losses - expected).max(), "norm": abs(norms / expected_norms - 1).max(),
        "exact": abs(losses - exact).max(), "theirs": abs(expected - exact).max(),
        "clipped": sum(line["clipped"] for line in lines),
    }


def compare_model(cell, unfold, logits, run, text):
    """Reads the trained model with both."""
    weights = load_file(run / "best" / "model.safetensors")
    model = Model(weights["embedding.weight"].shape[0], cell)
    model.load_state_dict(weights)
    output_of(logits, run / "best", text, run / "logits.safetensors")
    ours = load_file(run / "logits.safetensors")
    tokens = ours["tokens"].long()
    with torch.no_grad():
        theirs, _ = model(tokens[:, None], None)
        nats = torch.nn.functional.cross_entropy(theirs[:-1, 0].double(), tokens[1:]).item()
    report = json.loads(output_of(unfold, "evaluate", run / "best", text))
    assert report["tokens"] == len(tokens) - 1
    return {
        "logits": (ours["logits"] - theirs[:, 0]).abs().max().item(),
        "ratio": abs(report["perplexity"] / math.exp(nats) - 1),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    root = HERE.parent.parent
    parser.add_argument("--unfold", type=Path, default=root / ".build/release/unfold")
    parser.add_argument("--logits", type=Path, default=HERE / ".build/release/Logits")
    parser.add_argument("--text", type=Path, help="a UTF-8 text; by default one is generated")
    parser.add_argument("--steps", type=int, default=100)
    arguments = parser.parse_args()
    failed = False
    print("| cell | seed | loss, first → last | clipped | loss | gradient norm "
          "| loss, from float64 | PyTorch's, from float64 | logits | perplexity |")
    print("| --- |" + " ---: |" * 9)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        text = folder / "text.txt"
        content = arguments.text.read_bytes().decode() if arguments.text else generated_text(36_000)
        text.write_bytes(content.encode())
        held = folder / "held.txt"
        held.write_bytes(content[held_out_from(content) :][:20_000].encode())
        for cell, seed in itertools.product(CELLS, SEEDS):
            run = folder / f"{cell}-{seed}"
            training = compare_training(cell, seed, arguments.unfold, text, run, arguments.steps)
            model = compare_model(cell, arguments.unfold, arguments.logits, run, held)
            failed |= not (
                training["loss"] < (RELU_LOSS_TOLERANCE if cell == "elman-relu" else LOSS_TOLERANCE)
                and model["logits"] < LOGITS_TOLERANCE
                and model["ratio"] < PERPLEXITY_TOLERANCE)
            print(
                f"| {cell} | {seed} | {training['first']:.3f} → {training['last']:.3f} "
                f"| {training['clipped']} | {training['loss']:.1e} | {training['norm']:.1e} "
                f"| {training['exact']:.1e} | {training['theirs']:.1e} "
                f"| {model['logits']:.1e} | {model['ratio']:.1e} |",
                flush=True)
    print(f"torch {torch.__version__}, numpy {numpy.__version__}, "
          f"Python {sys.version.split()[0]}", file=sys.stderr)
    if failed:
        sys.exit("A difference is beyond its tolerance.")


main()
