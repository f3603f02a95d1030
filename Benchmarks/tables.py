"""What is measured: for each line of each table, how Unfold and its peers are run."""

import functools
from typing import Callable, NamedTuple

import systems


class Comparison(NamedTuple):
    table: str
    key: str
    own: Callable  # one run of Unfold, a process of its own: figures by name
    peers: dict  # by name; a run gives None if the peer can't do it
    figure: str = "rate"
    most_rounds: int = 1000

    def show(self, figures):
        return f"{figures[self.figure]:,.4g}"


def selected(peers, arguments):
    if arguments.peers is None:
        return peers
    wanted = arguments.peers.split(",")
    return {name: run for name, run in peers.items() if name in wanted}


def peak(arguments):
    """What the arithmetic units can do."""
    own = functools.partial(systems.peak, arguments)
    yield Comparison("peak", "machine", own, {}, figure="gflops")


def training(arguments):
    """Forward, backward, clipping and update with carried state, and the memory of the process."""
    yield from throughput("training", arguments.configs, arguments)


def small(arguments):
    """As training, with the small batches that reach a given loss soonest."""
    configs = [c for c in arguments.configs if c in "abf"]
    yield from throughput("small", configs, arguments, batch=16, window=32)


def throughput(table, configs, arguments, batch=None, window=None):
    for config in configs:
        for optimiser in arguments.optimisers.split(","):
            run = functools.partial(
                systems.train, config=config, optimiser=optimiser, arguments=arguments,
                batch=batch, window=window,
            )
            peers = {name: functools.partial(run, name) for name in ("torch", "jax")}
            own = functools.partial(run, "unfold")
            yield Comparison(table, f"{config} {optimiser}", own, selected(peers, arguments))


def own_cell(arguments):
    """An LSTM as a user writes it, step by step, differentiated by the library."""
    run = functools.partial(systems.own_cell, arguments=arguments)
    peers = {name: functools.partial(run, name) for name in ("torch-eager", "torch-compile")}
    own = functools.partial(run, "unfold")
    yield Comparison("own-cell", "b sgd", own, selected(peers, arguments))


def generation(arguments):
    """Tokens a second, and from the start of a process to the first token."""
    for name in ("char", "char:float16", "char:int8", "char*64",
                 "word", "word:float16", "word:int8", "word*64"):
        run = functools.partial(systems.generate, name=name, arguments=arguments)
        names = ("torch-nomkldnn", "onnx", "jax", "torch")
        peers = {peer: functools.partial(run, peer) for peer in names}
        own = functools.partial(run, "unfold")
        yield Comparison("generation", name, own, selected(peers, arguments))


def together(arguments):
    """One training alone, then two at once on the same processors."""
    for config in [c for c in arguments.configs if c in "ab"]:
        own = functools.partial(systems.together, config, arguments)
        yield Comparison("together", config, own, {}, figure="share")


def quality(arguments):
    """Validation loss on tiny Shakespeare over wall time."""
    if arguments.text is None:
        print("quality: left out, since --text isn't given")
        return
    for name in systems.QUALITY_PEERS:
        if name == "nanogpt" and arguments.nanogpt is None:
            continue
        peer = functools.partial(systems.quality_of_peer, name, arguments)
        peers = selected({name: peer}, arguments)
        if peers:
            yield Comparison(
                "quality", "tinyshakespeare", functools.partial(systems.quality, arguments), peers,
                figure="nats", most_rounds=1,
            )


TABLES = {
    "peak": peak,
    "training": training,
    "small": small,
    "own-cell": own_cell,
    "generation": generation,
    "together": together,
    "quality": quality,
}


def comparisons(arguments):
    for name in arguments.tables.split(","):
        yield from TABLES[name](arguments)
