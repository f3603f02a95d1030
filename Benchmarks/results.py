"""The file of figures: what every process of every round gave.

    tables → table → what was measured → peer → {settings, rounds: [{unfold, peer}, …]}

A comparison holds its own runs of Unfold, those of the same rounds, so that comparisons can be
measured at different times. A table in which Unfold runs without a peer has the peer "alone".
"""

import json
import statistics
from pathlib import Path


class Results:
    def __init__(self, path):
        self.path = Path(path)
        stored = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.tables = stored.get("tables", {})

    def store(self, table, key, peer, rounds, settings):
        entry = self.tables.setdefault(table, {}).setdefault(key, {})
        entry[peer] = {"settings": settings, "rounds": rounds}

    def save(self):
        text = json.dumps({"tables": self.tables}, indent=1, sort_keys=True) + "\n"
        temporary = self.path.with_suffix(".new")
        temporary.write_text(text)
        temporary.replace(self.path)

    def keys(self, table):
        return sorted(self.tables.get(table, {}))

    def peers(self, table, key):
        return list(self.tables.get(table, {}).get(key, {}))

    def comparison(self, table, key, peer):
        found = self.tables.get(table, {}).get(key, {}).get(peer)
        return Comparison(found) if found else None


class Comparison:
    """Unfold beside one peer, over some rounds by turns."""

    def __init__(self, entry):
        self.settings = entry["settings"]
        rounds = entry["rounds"]
        self.count = len(rounds)
        self.own = [r["unfold"] for r in rounds]
        self.others = [r["peer"] for r in rounds if r.get("peer")]
        self.pairs = [(r["unfold"], r["peer"]) for r in rounds if r.get("peer")]

    def figures(self, name, own):
        return [r[name] for r in (self.own if own else self.others) if r.get(name) is not None]

    def median(self, name, own=True):
        figures = self.figures(name, own)
        return statistics.median(figures) if figures else None

    def range(self, name, own=True):
        figures = self.figures(name, own)
        return (min(figures), max(figures)) if figures else None

    def ratio(self, name):
        """Unfold ÷ peer: the median of the rounds' ratios."""
        ratios = [a[name] / b[name] for a, b in self.pairs if a.get(name) and b.get(name)]
        return statistics.median(ratios) if ratios else None
