"""ZO-NGD as a baseline: tuned and evaluated like the others, on attacks of either kind."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.commands.conftest import Zol2l


@pytest.mark.parametrize("optimizee", ["digits_attack", "digits_linf"])
def test_zo_ngd_is_a_baseline(zol2l: Zol2l, tmp_path: Path, optimizee: str) -> None:
    chosen = (f"optimizee={optimizee}", "baseline=zo_ngd", "scale=smoke", "logger=csv")
    assert zol2l("tune", *chosen).status == 0
    outcome = zol2l("evaluate", *chosen)
    assert outcome.status == 0, outcome.err
    summary = pd.read_csv(tmp_path / f"outputs/{optimizee}-smoke/summary.csv")
    assert summary["queries_per_step"].item() == 21
