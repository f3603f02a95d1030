#!/usr/bin/env python3
"""Holds Unfold's byte pairs to Hugging Face's `tokenizers`: learns from each text with both and
compares vocabularies, merges and what they took; loads Unfold's tokenizer.json with `tokenizers` and
compares the numbers of the texts themselves, of many passages of them, of random texts and of every
character beside letters, spaces and numbers; trains with a tokenizer.json that `tokenizers` wrote, in
both forms of merges, and compares again; measures how fast both encode a longer text.

    pip install tokenizers
    swift build -c release
    python3 Scripts/check-tokenizer.py TEXT… [--vocabulary-size 8192] [--megabytes 100]

Texts are UTF-8. Everything runs with two threads, but encoding, which is done on one.
"""

import argparse
import json
import os
import pathlib
import random
import subprocess
import tempfile
import time

os.environ["RAYON_NUM_THREADS"] = "2"
os.environ["TOKENIZERS_PARALLELISM"] = "true"
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
UNFOLD = ROOT / ".build" / "release" / "unfold"
PIECES = [
    "a", "The", "don", "'s", "'ll", "'", "'re", "we've", " ", "  ", "\t", "\n", "\r\n", "\n\n", "\u00a0",
    "\u3000", "\u2028", "\u200b", "\ufeff", "é", "e\u0301", "日本", "ß", "Ⅷ", "٣٤", "½", "12", "3.14", "_",
    "...", "!?", "🦊", "👩‍👩‍👧", "🏳️‍🌈", "\U0001d7d8", "\U00020000", "\U00030000", "\x00", "\x1f", "ǅ", "ʰ", "अनु",
]


def read(path):
    """A text as it is, carriage returns included."""
    return path.read_bytes().decode()


def unfold(*arguments):
    done = subprocess.run([UNFOLD, *map(str, arguments)], capture_output=True)
    assert done.returncode in (0, 130), done.stderr.decode()
    return done.stdout.decode()


def train(text, out, *options):
    """A model without training, for its tokenizer; and the seconds that took."""
    begin = time.perf_counter()
    unfold("train", text, "--out", out, "--hidden", 1, "--layers", 1, "--batch", 1, "--window", 1,
           "--max-seconds", 0, "--threads", 2, *options)
    return out / "last" / "tokenizer.json", time.perf_counter() - begin


def peer(text, size):
    """What `tokenizers` learns from a text, and the seconds that took."""
    begin = time.perf_counter()
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator([read(text)], trainer)
    return tokenizer, time.perf_counter() - begin


def model(tokenizer):
    return json.loads(tokenizer.to_str())["model"]


def passages(text, count, generator):
    """Passages that begin and end anywhere, and texts of awkward pieces."""
    for index in range(count):
        if index % 2:
            begin = generator.randrange(len(text))
            yield text[begin:begin + generator.randrange(1, 400)]
        else:
            yield "".join(generator.choice(PIECES) for _ in range(generator.randrange(1, 40)))


def compare(file, tokenizer, texts, folder):
    """The numbers of texts, by the command with a tokenizer.json and by `tokenizers`."""
    paths = []
    for index, text in enumerate(texts):
        paths.append(folder / f"passage{index}")
        paths[-1].write_text(text, newline="")
    lines = unfold("tokenize", "--json", file, *paths).splitlines()
    assert len(lines) == len(texts)
    for text, line in zip(texts, lines):
        ours, theirs = json.loads(line)["tokens"], tokenizer.encode(text).ids
        assert ours == theirs, f"{text!r}: {ours} here, {theirs} there"
    return len(texts), sum(map(len, texts))


def sweep(file, folder):
    """Every character that may be assigned, beside letters, spaces and numbers."""
    private = [range(0xD800, 0xF900), range(0xE0200, 0x110000)]
    characters = [c for c in range(0x80, 0x110000) if not any(c in part for part in private)]
    lines = [f"a{chr(c)}1 {chr(c)}\u0301x" for c in characters]
    for begin in range(0, len(lines), 100_000):
        text = "\n".join(lines[begin:begin + 100_000])
        compare(file, Tokenizer.from_file(str(file)), [text], folder)
    print(f"{len(characters)} characters beside others agree")


def older(file, folder):
    """The same tokenizer with merges as strings."""
    content = json.loads(file.read_text())
    content["model"]["merges"] = [" ".join(pair) for pair in content["model"]["merges"]]
    changed = folder / "older" / "tokenizer.json"
    changed.parent.mkdir()
    changed.write_text(json.dumps(content))
    return changed


def check(path, size, folder, generator):
    text = read(path)
    file, ours = train(path, folder / "ours", "--tokens", "bpe", "--vocabulary-size", size)
    theirs, seconds = peer(path, size)
    a, b = model(Tokenizer.from_file(str(file))), model(theirs)
    assert a["vocab"] == b["vocab"], f"{path}: other tokens"
    assert a["merges"] == b["merges"], f"{path}: other merges"
    print(f"{path.name}: {len(a['merges'])} merges agree; learned and encoded in {ours:.2f} s, "
          f"tokenizers learned in {seconds:.2f} s")
    loaded = Tokenizer.from_file(str(file))
    count, characters = compare(
        file, loaded, [text] + list(passages(text, 2000, generator)), folder)
    print(f"{path.name}: numbers of {count} texts, {characters} characters, agree")
    saved = folder / "tokenizer.json"
    theirs.save(str(saved))
    for foreign in [saved, older(saved, folder)]:
        again, _ = train(path, folder / f"foreign-{foreign.parent.name}", "--tokenizer", foreign)
        assert model(Tokenizer.from_file(str(again))) == a, "a foreign tokenizer was changed"
    print(f"{path.name}: read from tokenizers and written again, in both forms of merges")
    return file


def speed(paths, file, megabytes, folder):
    text = "".join(read(path) for path in paths)
    text *= max(1, round(megabytes * 1e6 / len(text.encode())))
    whole = folder / "whole"
    whole.write_text(text, newline="")
    size = whole.stat().st_size / 1e6
    _, bytes_only = train(whole, folder / "speed-bytes", "--tokens", "bytes")
    _, both = train(whole, folder / "speed", "--tokenizer", file)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    tokenizer = Tokenizer.from_file(str(file))
    parts, begin = [], 0
    while begin < len(text):  # Cut where a line begins with a letter: no token reaches over that.
        end = begin + 1_000_000
        while end < len(text) and not (text[end - 1] == "\n" and text[end].isalpha()):
            end += 1
        parts.append(text[begin:end])
        begin = end
    clock = time.perf_counter()
    count = sum(len(tokenizer.encode_batch_fast([part])[0].ids) for part in parts)
    theirs = time.perf_counter() - clock
    print(f"{size:.0f} MB, {count} tokens: {size / (both - bytes_only):.0f} MB/s here (with a whole "
          f"command that reads bytes {bytes_only:.2f} s, byte pairs {both:.2f} s), tokenizers "
          f"{size / theirs:.1f} MB/s, both on one thread")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("texts", nargs="+", type=pathlib.Path)
    parser.add_argument("--vocabulary-size", type=int, default=8192)
    parser.add_argument("--megabytes", type=float, default=100)
    options = parser.parse_args()
    generator = random.Random(1)
    with tempfile.TemporaryDirectory() as temporary:
        for index, path in enumerate(options.texts):
            folder = pathlib.Path(temporary) / str(index)
            folder.mkdir()
            file = check(path, options.vocabulary_size, folder, generator)
            if index == 0:
                sweep(file, folder)
        folder = pathlib.Path(temporary) / "speed"
        folder.mkdir()
        speed(options.texts, file, options.megabytes, folder)


main()
