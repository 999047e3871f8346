"""What the tests of figures share."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are saved, in order; their files stay empty."""
    figures: list[Figure] = []

    def savefig(figure, path, **options):
        figure.draw_without_rendering()
        figures.append(figure)
        Path(path).touch()

    monkeypatch.setattr(Figure, "savefig", savefig)
    return figures
