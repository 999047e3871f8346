"""Released optimizers: each loads, says what it is and does what its card says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.conftest import Zol2l
from zol2l.commands.build import CONF
from zol2l.errors import InvalidInput
from zol2l.pretrained import CARD, HERE, released, released_folder
from zol2l.pretrained.release import check_figures, release
from zol2l.storage.json_files import read_json
from zol2l.zo_lstm import PARTS, ZOLSTM

SMALL = 20_000
"""Bytes: a released part is a few thousand numbers at most."""


@pytest.mark.parametrize("name", released())
def test_a_release_does_what_its_card_says(name: str) -> None:
    card = read_json(released_folder(name) / CARD)
    optimizer = ZOLSTM.from_pretrained(name)
    assert optimizer.sampling.directions == card["directions"]
    figures = check_figures(released_folder(name))
    assert figures == pytest.approx(card["check"], rel=0.02)
    assert figures["final_loss"] < 0.6 * figures["start_loss"]
    for part in PARTS:
        told = card["parts"][part]
        assert told["command"].startswith("zol2l ")
        assert len(told["git_commit"]) >= 40
        attacks = card["task"] != "binary_classification"
        assert ("queries_to_success" in told["validation"]) == attacks
        assert (released_folder(name) / part / "weights.safetensors").stat().st_size < SMALL
    assert (CONF / f"optimizer/pretrained/{name}.yaml").is_file()


def test_a_name_that_was_not_released_is_told() -> None:
    with pytest.raises(InvalidInput, match="mnits"):
        ZOLSTM.from_pretrained("mnits")


def test_releasing_keeps_the_weights_and_writes_the_card(zol2l: Zol2l, tmp_path: Path) -> None:
    smoke = ("scale=smoke", "logger=csv", "optimizee=binary_classification")
    mixing = "ablation.optimizer.sampling.mixing=0.25"
    assert zol2l("meta-train", *smoke, "ablation=none", mixing).status == 0
    folder = tmp_path / "outputs/binary_classification-smoke/meta/zo_lstm"
    card = release(folder, "mine", tmp_path / "released")
    assert card["task"] == "binary_classification"
    assert (card["directions"], card["horizon"]) == (20, 4)
    assert "meta-train" in card["parts"]["update"]["command"]
    assert check_figures(tmp_path / "released/mine") == card["check"]
    for one in (folder, tmp_path / "released/mine"):
        again = ZOLSTM.from_pretrained(one)
        assert again.update.gain == 50 and again.sampling.mixing == 0.25
    for part in PARTS:
        copied = tmp_path / "released/mine" / part / "weights.safetensors"
        assert copied.read_bytes() == (folder / part / "weights.safetensors").read_bytes()
    assert not (HERE / "mine").exists()


@pytest.mark.parametrize("name", ["directions", "scale", "gain"])
def test_zero_is_refused_and_not_taken_for_the_releases_own(name: str) -> None:
    with pytest.raises(InvalidInput, match=f"{name}=0"):
        ZOLSTM.from_pretrained("digits", **{name: 0})
