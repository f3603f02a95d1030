"""The charts, as SVG that is legible on light and on dark pages.

Text and lines take the page's colour (`currentColor`, which a style sets by the reader's scheme);
bars have the colours of Okabe and Ito, which people with any colour vision tell apart.
"""

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot

INK = "#010203"  # stands for the page's ink until the file is written
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"]
STYLE = (
    "<style>svg{color:#1f2328}@media(prefers-color-scheme:dark){svg{color:#e6edf3}}</style>"
)

pyplot.rcParams.update({
    "svg.fonttype": "none", "svg.hashsalt": "unfold", "font.size": 11, "text.color": INK,
    "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK,
    "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False,
})


def save(figure, path):
    """Writes a figure without a background, its ink the page's."""
    figure.savefig(path, transparent=True, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
    text = path.read_text().replace(INK, "currentColor").replace("'DejaVu Sans', ", "")
    at = text.index(">", text.index("<svg")) + 1
    path.write_text(text[:at] + STYLE + text[at:])


def grouped(path, groups, series, label, log=False, line=None):
    """Bars side by side for each group, each with its number. `series`: name → number by group."""
    # Room for the number above each bar.
    figure, axes = pyplot.subplots(figsize=(max(8.4, 0.36 * len(groups) * len(series)), 3.6))
    width = 0.82 / len(series)
    for index, (name, values) in enumerate(series.items()):
        places = [g + (index - (len(series) - 1) / 2) * width for g in range(len(groups))]
        shown = [(p, v) for p, v in zip(places, values) if v]
        axes.bar([p for p, _ in shown], [v for _, v in shown], width * 0.92, label=name,
                 color=COLOURS[index])
        for place, value in shown:
            text = f"{value:,.0f}" if value >= 20 else f"{value:.1f}"
            axes.annotate(text, (place, value), ha="center", va="bottom", fontsize=7.5)
    if line is not None:
        axes.axhline(line, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set_xticks(range(len(groups)), groups)
    axes.set_ylabel(label)
    if log:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.set_ylim(bottom=0.5)
    axes.legend(ncols=len(series), loc="lower center", bbox_to_anchor=(0.5, 1.0))
    save(figure, path)


def training(results, path, configs):
    series = {}
    for peer, title in (("torch", "PyTorch"), ("jax", "JAX")):
        for optimiser in ("sgd", "adam"):
            found = [results.comparison("training", f"{c} {optimiser}", peer) for c in configs]
            ratios = [c.ratio("rate") if c else None for c in found]
            if any(ratios):
                series[f"{title}, {optimiser}"] = ratios
    if not series:
        return False
    grouped(path, list(configs), series, "times as fast as the peer", line=1)
    return True


def memory(results, path, configs):
    own, peers = [], {"torch": [], "jax": []}
    for config in configs:
        found = {p: results.comparison("training", f"{config} adam", p) for p in peers}
        known = [c for c in found.values() if c]
        own.append(known[0].median("peak_mib") if known else None)
        for peer, list_of in peers.items():
            list_of.append(found[peer].median("peak_mib", False) if found[peer] else None)
    if not any(own):
        return False
    names = {"torch": "PyTorch", "jax": "JAX"}
    series = {"Unfold": own, **{names[p]: v for p, v in peers.items() if any(v)}}
    grouped(path, list(configs), series, "peak resident memory with Adam, MiB")
    return True


def peak(results, path, configs):
    most = results.comparison("peak", "machine", "alone")
    series = {}
    for optimiser in ("sgd", "adam"):
        shares = []
        for config in configs:
            key = f"{config} {optimiser}"
            found = [results.comparison("training", key, p) for p in results.peers("training", key)]
            rates = [c.median("gflops") for c in found if c and c.median("gflops")]
            shares.append(100 * rates[0] / most.median("gflops") if rates and most else None)
        if any(shares):
            series[optimiser] = shares
    if not series:
        return False
    grouped(path, list(configs), series, "% of the machine's peak", line=100)
    return True


def generation(results, path, _):
    """Ratios, since the rates of the models lie two powers of ten apart."""
    keys = results.keys("generation")
    series = {}
    for title, peer in (("PyTorch", "torch"), ("PyTorch without oneDNN", "torch-nomkldnn"),
                        ("ONNX Runtime", "onnx"), ("JAX", "jax")):
        found = [results.comparison("generation", key, peer) for key in keys]
        ratios = [c.ratio("rate") if c else None for c in found]
        if any(ratios):
            series[title] = ratios
    if not series:
        return False
    models = {"char": "2×512", "word": "2×1024"}
    kinds = {"": "one text", "*64": "64 texts", ":float16": "16 bits", ":int8": "8 bits"}
    names = [f"{models[key[:4]]}\n{kinds[key[4:]]}" for key in keys]
    grouped(path, names, series, "times as fast as the peer", log=True, line=1)
    return True


def quality(results, path, _):
    figure, axes = pyplot.subplots(figsize=(8.4, 3.6))
    drawn = 0
    for peer in results.peers("quality", "tinyshakespeare"):
        found = results.comparison("quality", "tinyshakespeare", peer)
        runs = [("PyTorch LSTM" if peer == "torch" else peer, found.others)]
        runs += [("Unfold", found.own)] if drawn == 0 else []
        for name, figures in runs:
            if figures and figures[0].get("curve"):
                curve = [point for point in figures[0]["curve"] if point[0] > 0]
                axes.plot(*zip(*curve), marker="os^D"[drawn], markersize=4, label=name,
                          color=COLOURS[drawn])
                drawn += 1
    axes.set_xlabel("wall time, s")
    axes.set_ylabel("nats a character on the validation part")
    if not drawn:
        pyplot.close(figure)
        return False
    axes.legend()
    save(figure, path)
    return True


def charts(results, folder, configs):
    """Draws what there are figures for; the names of the files that were written."""
    kinds = {"training": training, "memory": memory, "peak": peak, "generation": generation,
             "quality": quality}
    return {
        f"{name}.svg" for name, draw in kinds.items() if draw(results, folder / f"{name}.svg", configs)
    }
