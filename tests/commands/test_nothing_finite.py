"""A search, or a training, that comes to nothing finite fails with the reason and keeps nothing."""

from __future__ import annotations

from pathlib import Path

from tests.commands.conftest import Outcome, Zol2l

QUADRATIC = ("optimizee=quadratic", "scale=smoke", "logger=csv")


def refused(outcome: Outcome, *words: str) -> None:
    assert outcome.status == 2, outcome.out + outcome.err
    told = outcome.err.strip().splitlines()[-1]
    for word in words:
        assert word in told
    assert "Traceback" not in outcome.err


def test_a_search_in_which_all_breaks_can_be_given_other_rates(zol2l: Zol2l) -> None:
    tuning = Path("outputs/quadratic-smoke/tuning/zo_sgd")
    outcome = zol2l("tune", *QUADRATIC, "baseline=zo_sgd", "tuning.rates=[1e30,1e31]")
    refused(outcome, "tuning.rates=rate 1e+30, rate 1e+31", "zo_sgd", "give smaller ones")
    assert not [path for path in tuning.iterdir() if not path.name.startswith(".")]
    assert zol2l("tune", *QUADRATIC, "baseline=zo_sgd").status == 0
    assert (tuning / "tuned.json").exists()


def test_a_search_goes_on_past_what_a_kill_left_of_optunas_lock(zol2l: Zol2l) -> None:
    """A lock that dangles, as of a relative journal, made all later searches wait for ever."""
    tuning = Path("outputs/quadratic-smoke/tuning/zo_sgd")
    tuning.mkdir(parents=True)
    (tuning / "trials.journal.lock").symlink_to(tuning / "trials.journal")
    (tuning / "trials.json.lock").symlink_to(tuning / "trials.json")
    outcome = zol2l("tune", *QUADRATIC, "baseline=zo_sgd")
    assert outcome.status == 0, outcome.err
    assert (tuning / "tuned.json").exists()


def test_a_victim_that_diverges_is_not_kept(zol2l: Zol2l, data_root: Path) -> None:
    def kept() -> set[Path]:
        return {path for path in data_root.rglob("diverging*") if path.is_file()}

    outcome = zol2l(
        "train-victim", "optimizee=digits_attack", "logger=csv", "optimizee.victim.name=diverging",
        "optimizee.victim.training.rate=1e30",
    )  # fmt: skip
    refused(outcome, "=nan: training diverged", "lower optimizee.victim.training.rate")
    assert kept() == set()


def test_an_optimizer_that_diverges_is_not_kept_and_can_be_given_another_rate(
    zol2l: Zol2l,
) -> None:
    stage = Path("outputs/quadratic-smoke/meta/zo_lstm/update")
    learn = ("meta-train", *QUADRATIC, "ablation=no_query")
    refused(zol2l(*learn, "meta_training.rate.update=1e30"), "meta_training.rate.update=1e+30")
    assert not [path for path in stage.glob("*.*") if path.suffix in (".ckpt", ".safetensors")]
    assert zol2l(*learn).status == 0
