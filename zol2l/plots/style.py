"""One look for every figure: fonts, names, colours that stay with their method, atomic saving."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any
from zlib import crc32

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from zol2l.storage.files import write_atomically

DPI = 150
WIDTH, HEIGHT, ROW = 7.6, 4.0, 0.21
"""Inches: a chart with its legend, and a row of the legend: the chart grows with it."""

RC: dict[str, Any] = {
    "font.size": 10,
    "axes.labelsize": 10.5,
    "axes.titlesize": 10.5,
    "figure.labelsize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "0.9",
    "grid.linewidth": 0.8,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "legend.title_fontsize": 8.5,
    "legend.handlelength": 2.4,
}

NAMES = {
    "zo_sgd": "ZO-SGD",
    "zo_signsgd": "ZO-signSGD",
    "zo_adam": "ZO-ADAM",
    "zo_ngd": "ZO-NGD",
    "zo_szvr_g": "ZO-SZVR-G",
    "zo_scd": "ZO-SCD",
    "zo_sgd_guided_es": "ZO-SGD-GuidedES",
    "zo_lstm": "ZO-LSTM",
    "transfer": "ZO-LSTM-transfer",
    "finetune": "ZO-LSTM-finetune",
    "no_query": "ZO-LSTM-no-query",
    "no_update": "ZO-LSTM-no-update",
    "guided_es": "ZO-LSTM-GuidedES",
    "zo_ngd_mnist": "ZO-NGD (MNIST code)",
    "zo_ngd_cifar10": "ZO-NGD (CIFAR code)",
    "zo_ngd_imagenet": "ZO-NGD (ImageNet code)",
    "nes_pgd": "NES-PGD",
    "square": "Square",
    "bandits_td": "Bandits-TD",
    "zoo": "ZOO",
    "transfer_attack": "Transfer",
    "pgd": "PGD",
    "ngd": "NGD",
    "plain": "Plain",
    "advtrain": "AdvTrain",
    "advtrain_bls": "AdvTrain+BLS",
    "trades": "TRADES",
    "l2lda": "L2LDA",
    "rnn_adv": "RNN-Adv",
    "rnn_trades": "RNN-TRADES",
    "natural": "Natural",
    "pgd10": "PGD-10",
    "pgd100": "PGD-100",
    "pgd_bls": "PGD+BLS",
    "cw100": "CW100",
    "rnn": "RNN",
    "rnn40": "RNN-40",
    "plain_net": "Plain-Net",
    "pgd_net": "PGD-Net",
    "autoattack": "AutoAttack",
    "min": "Min",
}

# Okabe and Ito's colour-blind safe palette, less its black (ZO-LSTM's) and its too pale yellow.
BLUE, ORANGE, GREEN, PURPLE, SKY, RED = PALETTE = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00",
)  # fmt: skip
GREY = "0.5"

LINES = {
    "zo_lstm": ("black", "-"),
    "zo_sgd": (BLUE, "-"),
    "zo_signsgd": (ORANGE, "-"),
    "zo_adam": (GREEN, "-"),
    "zo_ngd": (PURPLE, "-"),
    "zo_szvr_g": (SKY, "-"),
    "zo_scd": (RED, "-"),
    "zo_sgd_guided_es": (GREY, "-"),
    "no_query": (RED, "--"),
    "no_update": (BLUE, "--"),
    "guided_es": (SKY, "--"),
    "transfer": (ORANGE, "--"),
    "finetune": (PURPLE, "--"),
}
"""Hand-designed methods are solid, variants of ZO-LSTM dashed: no_update, which moves by SGD, in
ZO-SGD's colour. Other methods get the lines of OTHERS."""

ATTACK_LINES = {
    "zo_ngd": (PURPLE, "-"),
    "zo_ngd_mnist": (PURPLE, "--"),
    "zo_ngd_cifar10": (PURPLE, ":"),
    "zo_ngd_imagenet": (PURPLE, "-."),
    "nes_pgd": (BLUE, "-"),
    "square": (GREEN, "-"),
    "bandits_td": (ORANGE, "-"),
    "zoo": (RED, "-"),
    "transfer_attack": (GREY, "-"),
    "pgd": (BLUE, "--"),
    "ngd": (RED, "--"),
}
"""Attacks are compared with each other alone, so that they may look like optimizers."""

DEFENSE_LINES = {
    "plain": (GREY, "-"),
    "advtrain": (BLUE, "-"),
    "advtrain_bls": (SKY, "-"),
    "trades": (GREEN, "-"),
    "l2lda": (ORANGE, "-"),
    "rnn_adv": (BLUE, "--"),
    "rnn_trades": (GREEN, "--"),
}
"""Those with the learned update are broken, in the colour of the defense they improve."""

ATTACKER_LINES = {
    "natural": (GREY, "-"),
    "pgd10": (BLUE, "-"),
    "pgd100": (BLUE, "--"),
    "pgd_bls": (SKY, "-"),
    "cw100": (GREEN, "-"),
    "rnn": (RED, "-"),
    "rnn40": (RED, "--"),
}

OTHERS = [(colour, dash) for dash, colour in product(("-.", ":"), PALETTE)]


def pretty(method: str) -> str:
    """Return the name that the papers give a method, or the name itself."""
    return NAMES.get(method, method)


def lines(methods: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Keyword arguments of `Axes.plot` for each method: the same in every figure.

    A method without a line in LINES takes the one of OTHERS that its name hashes to, or the next
    free one, so that methods differ as long as there are at most twelve such.
    """
    names = list(methods)
    chosen: dict[str, tuple[str, str]] = {}
    known = LINES | ATTACK_LINES | DEFENSE_LINES | ATTACKER_LINES
    for name in sorted(set(names) - known.keys()):
        slot = crc32(name.encode()) % len(OTHERS)
        candidates = OTHERS[slot:] + OTHERS[:slot]
        taken = set(chosen.values())
        chosen[name] = next((c for c in candidates if c not in taken), candidates[0])
    return {name: _line(name, *(known | chosen)[name]) for name in names}


def _line(name: str, colour: str, dash: str) -> dict[str, Any]:
    """Solid lines lie below ZO-LSTM's, others above it: broken, they show where they coincide."""
    width, layer = (2.8, 4) if name == "zo_lstm" else (1.6, 3 if dash == "-" else 5)
    return {"color": colour, "linestyle": dash, "linewidth": width, "zorder": layer}


@contextmanager
def styled() -> Iterator[None]:
    """Apply the look, on matplotlib's own defaults, in a `with` block or to a decorated function.

    Nothing leaks out, and no one's matplotlibrc leaks in.
    """
    with matplotlib.style.context(RC, after_reset=True):
        yield


def chart() -> tuple[Figure, Axes]:
    """Make a figure of one pair of axes, with room for a legend at its right."""
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    return figure, figure.add_subplot()


def count_axis(axes: Axes, label: str, largest: float, ticks: int = 8) -> None:
    """Let x count something, from 0 to `largest`, with at most `ticks` intervals."""
    axes.set_xlabel(label)
    axes.set_xlim(0, max(largest, 1) * 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10], integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def legend(figure: Figure, note: str) -> None:
    """Put the methods (the same in all axes) and a `note` on how to read them beside the axes."""
    shown = figure.axes[0].get_legend_handles_labels()
    names = figure.legend(*shown, loc="outside right upper")
    rows = sum(1 + text.get_text().count("\n") for text in names.get_texts()) + note.count("\n") + 2
    figure.set_figheight(max(figure.get_figheight(), ROW * rows))
    if note:
        figure.legend([], [], title=note, loc="outside right lower", alignment="left")


def save(figure: Figure, path: Path) -> Path:
    """Write `figure` to `path` as PNG, atomically, and return `path`."""
    write_atomically(path, lambda p: figure.savefig(p, format="png", dpi=DPI))
    return path
