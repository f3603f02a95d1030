"""Training throughput of an LSTM that a user has written, as a Python loop of PyTorch's operations.

The same work as train_speed.py (forward, mean cross-entropy, backward, clip by global norm 5, SGD,
carried state), with a cell of seven lines instead of nn.LSTM: what a user's own cell costs.

    python own_cell.py --form eager --config b --threads 2 --seconds 10
    python own_cell.py --form compile --config b        # the cell's step under torch.compile

Prints one JSON line, with the names of train_speed.py. `first_step_s` holds imports, compilation and
one step.
"""

import argparse
import json
import resource
import statistics
import sys
import time

BEGIN = time.perf_counter()

import torch
from torch import nn

from configurations import CLIP_NORM, SGD_RATE, TRAINING
from train_speed import BLOCKS, WARM_UP, random_blocks  # the same tokens


def cell(x, h, c, w, u, b, d):
    z = nn.functional.linear(x, w, b) + nn.functional.linear(h, u, d)
    i, f, g, o = z.chunk(4, 1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def training_step(config, form):
    """Returns a function that takes one training step and returns its loss."""
    step_of_cell = torch.compile(cell) if form == "compile" else cell
    embedding = nn.Embedding(config.vocabulary, config.embedding)
    output = nn.Linear(config.hidden, config.vocabulary)
    bound = config.hidden**-0.5
    layers = []
    for layer in range(config.layers):
        inputs = config.embedding if layer == 0 else config.hidden
        shapes = ((4 * config.hidden, inputs), (4 * config.hidden, config.hidden))
        shapes += ((4 * config.hidden,), (4 * config.hidden,))
        layers.append([nn.Parameter(torch.empty(*s).uniform_(-bound, bound)) for s in shapes])
    parameters = [*embedding.parameters(), *output.parameters(), *(p for l in layers for p in l)]
    update = torch.optim.SGD(parameters, lr=SGD_RATE)
    blocks = torch.from_numpy(random_blocks(config))
    zeros = torch.zeros(config.batch, config.hidden)
    states = [(zeros, zeros) for _ in layers]
    index = 0

    def step():
        nonlocal states, index
        block = blocks[index % BLOCKS]
        index += 1
        update.zero_grad(set_to_none=True)
        signal, last = embedding(block[:-1]), []
        for weights, state in zip(layers, states):
            h, c = (s.detach() for s in state)
            outputs = []
            for x in signal:
                h, c = step_of_cell(x, h, c, *weights)
                outputs.append(h)
            signal = torch.stack(outputs)
            last.append((h, c))
        states = last
        logits = output(signal).flatten(0, 1)
        loss = nn.functional.cross_entropy(logits, block[1:].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, CLIP_NORM)
        update.step()
        return loss.item()

    return step


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--form", choices=["eager", "compile"], default="eager")
    parser.add_argument("--config", choices=[c for c in TRAINING if TRAINING[c].cell == "lstm"], default="b")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    config = TRAINING[arguments.config]
    step = training_step(config, arguments.form)
    step()
    first = time.perf_counter() - BEGIN
    for _ in range(WARM_UP - 1):
        step()
    times = []
    begin = time.perf_counter()
    while time.perf_counter() - begin < arguments.seconds or len(times) < 5:
        start = time.perf_counter()
        loss = step()
        times.append(time.perf_counter() - start)
    median = statistics.median(times)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({
        "system": "torch",
        "version": torch.__version__,
        "form": arguments.form,
        "config": arguments.config,
        "threads": arguments.threads,
        "tokens_per_s": round(config.batch * config.steps / median),
        "step_ms": round(median * 1e3, 2),
        "steps": len(times),
        "first_step_s": round(first, 2),
        "peak_rss_mib": round(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)),
        "loss": round(loss, 3),
    }), flush=True)


if __name__ == "__main__":
    main()
