"""One run of one system in a process of its own, and the figures that it gives.

Names of figures: `rate` tokens a second, `peak_mib` the most resident memory of the process,
`first_s` seconds from a process's start to its first token, `gflops` 10⁹ operations a second,
`nats` a character, `seconds` wall time of a process.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "Benchmarks" / "peers"
UNFOLD = ROOT / ".build" / "release" / "unfold"
LONGEST = 1800  # seconds that any one process may take


def last_json(command, environment=None):
    """The JSON object in the last line that a command prints; None, with a word, if it fails."""
    try:
        done = subprocess.run(
            [str(part) for part in command], stdout=subprocess.PIPE, cwd=PEERS, timeout=LONGEST,
            env={**os.environ, **(environment or {})}, check=True,
        )
        return json.loads(done.stdout.decode().strip().splitlines()[-1])
    except (subprocess.SubprocessError, ValueError, IndexError) as error:
        print(f"{command[1]}: {error}", file=sys.stderr)
        return None


def own(command, environment=None):
    """As `last_json`, for Unfold, which may not fail."""
    result = last_json([UNFOLD, *command, "--json"], environment)
    if result is None:
        raise SystemExit("measure.py: unfold has failed; see above")
    return result


def peak(arguments):
    report = own(["doctor"], {"UNFOLD_THREADS": str(arguments.threads)})
    return {
        "gflops": report["peak_gflops"], "gflops_one_thread": report["peak_gflops_one_thread"],
        "kernels": report["instruction_set"], "threads": report["threads"],
    }


def training_figures(result):
    return {
        "rate": result["tokens_per_second"], "peak_mib": result["peak_rss_mib"],
        "gflops": result["gflops"],
    }


def train(system, config, optimiser, arguments, batch=None, window=None):
    command = ["--config", config, "--optimiser", optimiser, "--seconds", arguments.seconds]
    command += ["--threads", arguments.threads]
    command += ["--batch", batch] if batch else []
    command += ["--window", window] if window else []
    if system == "unfold":
        return training_figures(own(["benchmark", *command]))
    return peer_figures([arguments.python, "train_speed.py", "--system", system, *command])


def peer_figures(command):
    result = last_json(command)
    return result and {
        "rate": result["tokens_per_s"], "peak_mib": result["peak_rss_mib"],
        "version": result["version"], "form": result.get("form"), "first_s": result["first_step_s"],
    }


def own_cell(system, arguments):
    command = ["--config", "b", "--seconds", arguments.seconds, "--threads", arguments.threads]
    if system == "unfold":
        return training_figures(own(["benchmark", "--own-cell", *command]))
    form = system.removeprefix("torch-")
    return peer_figures([arguments.python, "own_cell.py", "--form", form, *command])


def generate(system, name, arguments):
    """`name` is a configuration, perhaps with a number of texts side by side or with smaller
    weights, which only Unfold has: char, word*64, word:int8."""
    config, weights = (name + ":float32").split(":")[:2]
    config, streams = (config + "*1").split("*")[:2]
    common = ["--streams", streams, "--threads", arguments.threads]
    if system == "unfold":
        result = own(["benchmark", "--generate", config, "--weights", weights, *common,
                      "--seconds", arguments.seconds])
        return {"rate": result["tokens_per_second"], "first_s": result["first_token_seconds"],
                "peak_mib": result["peak_rss_mib"]}
    models = ROOT / ".build" / "peer-models"
    command = [arguments.python, "generate_speed.py", "--system", system, "--config", config]
    result = last_json([*command, "--models", models, "--seconds", arguments.seconds, *common])
    return result and {
        "rate": max(result["tokens_per_s"], result.get("tokens_per_s_256_a_call", 0)),
        "first_s": result["first_token_s"], "version": result["version"],
    }


def together(config, arguments):
    """Two trainings at once, each asked to use all processors, and one alone before and after: what
    they reach together is compared with the better of these."""
    command = [UNFOLD, "benchmark", "--config", config, "--threads", arguments.threads, "--json",
               "--seconds", arguments.seconds]
    command = [str(part) for part in command]
    one = lambda: json.loads(
        subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["tokens_per_second"]
    before = one()
    both = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    rates = [json.loads(process.communicate()[0])["tokens_per_second"] for process in both]
    rate = max(before, one())
    return {"alone": rate, "first": rates[0], "second": rates[1], "share": sum(rates) / rate}


# Name in the table, and for how many seconds of wall time (None: it ends by itself).
QUALITY_PEERS = {"torch": 150, "nanogpt": None}
NANOGPT = (
    "--device=cpu --compile=False --eval_iters=20 --log_interval=250 --block_size=64 "
    "--batch_size=12 --n_layer=4 --n_head=4 --n_embd=128 --max_iters=2000 --lr_decay_iters=2000 "
    "--dropout=0.0"
).split()


def quality(arguments):
    """The command's defaults, to the end; the loss on the whole validation part in one stream."""
    with tempfile.TemporaryDirectory() as folder:
        text = arguments.text.read_text(encoding="utf-8")
        validation = Path(folder) / "validation.txt"
        validation.write_text(text[int(len(text) * 0.9):], encoding="utf-8")
        run = Path(folder) / "run"
        begin = time.monotonic()
        command = [UNFOLD, "train", arguments.text, "--out", run, "--threads", arguments.threads]
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
        seconds = time.monotonic() - begin
        result = own(["evaluate", run, validation])
        lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        return {"nats": result["nats_per_token"], "seconds": seconds, "curve": own_curve(lines)}


def own_curve(lines):
    """[seconds, nats] of each evaluation."""
    return [
        [line["seconds"], line["validation_nats_per_token"]]
        for line in lines if line.get("validation_nats_per_token") is not None
    ]


def quality_of_peer(name, arguments):
    if name == "torch":
        return torch_quality(QUALITY_PEERS[name], arguments)
    command = [arguments.python, "train.py", "config/train_shakespeare_char.py", *NANOGPT]
    begin = time.monotonic()
    done = subprocess.run(
        [str(part) for part in command], cwd=arguments.nanogpt, stdout=subprocess.PIPE, check=True,
        env={**os.environ, "OMP_NUM_THREADS": str(arguments.threads)}, timeout=LONGEST,
    )
    seconds = time.monotonic() - begin
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=arguments.nanogpt, stdout=subprocess.PIPE,
        check=True,
    ).stdout.decode().strip()
    losses = re.findall(r"step \d+: train loss [\d.]+, val loss ([\d.]+)", done.stdout.decode())
    return {"nats": float(losses[-1]), "seconds": seconds, "version": commit}


def torch_quality(seconds, arguments):
    """The best settings of an LSTM in PyTorch that are known to us, for as long as is given."""
    command = [arguments.python, "charlm_torch.py", "--text", arguments.text.resolve(), "--batch", 32,
               "--steps", 32, "--seconds", seconds, "--threads", arguments.threads]
    begin = time.monotonic()
    done = subprocess.run([str(part) for part in command], cwd=PEERS, stdout=subprocess.PIPE, check=True)
    lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
    return {
        "nats": lines[-1]["validation_one_stream"], "seconds": time.monotonic() - begin,
        "version": lines[-1]["torch"], "curve": [[l["seconds"], l["validation"]] for l in lines],
    }
