"""What `adv-train` and `adv-evaluate` refuse, in one line and before any work is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.conftest import Zol2l
from tests.commands.test_adversarial import QUICK, QUIET, UNLEARNED
from tests.data.pictures import picture_folder
from zol2l import pretrained

RELEASED = Path(pretrained.__file__).parent / "digits/update/weights.safetensors"


@pytest.mark.parametrize(
    ("command", "arguments", "told"),
    [
        ("adv-train", ["defense=rnn_advv"], ["defense=rnn_advv", "did you mean rnn_adv?"]),
        ("adv-train", ["recipe.training.epochs=0"], ["recipe.training.epochs=0", "at least 1"]),
        ("adv-train", ["recipe.train=0"], ["recipe.train=0", "1 to"]),
        ("adv-train", ["recipe.eps=0"], ["recipe.eps=0", "> 0"]),
        (
            "adv-train",
            ["recipe.training.accumulate=2000"],
            ["recipe.training.batch_size * accumulate=", "at most"],
        ),
        ("adv-train", ["defense=plain", "defense.frozen=true"], ["defense.frozen=True"]),
        ("adv-train", ["data=image_folder", "data.folder=x"], ["recipe=image_folder", "digits"]),
        ("adv-train", ["network=vgg16x"], ["network=vgg16x", "vgg16"]),
        ("adv-train", ["recipe=digitss"], ["recipe=digitss", "one of"]),
        ("adv-train", ["seeds=3"], ["seeds=3", "a list"]),
        ("adv-train", ["seeds=[]"], ["seeds=[]", "a list"]),
        ("adv-train", ["seeds=[0,0]"], ["seeds=[0, 0]", "different"]),
        ("adv-train", ["seed=x"], ["seed=x", "whole number"]),
        ("adv-train", ["defense=rnn_adv", "defense.frozen=no"], ["frozen=no", "true or false"]),
        ("adv-train", ["defense=rnn_adv", "defense.frozen=true"], ["defense.start.classifier="]),
        ("adv-train", ["defenses.trades.learner_clip=-1"], ["defenses.trades.learner_clip=-1"]),
        ("adv-train", ["defense=trades", "defense.learner=null"], ["defense.learner=None"]),
        ("adv-train", ["defenses.rnn_adv.learner.lr=-1"], ["defenses.rnn_adv.learner=", "-1"]),
        (
            "adv-train",
            ["defenses.rnn_trades.start.classifier=x"],
            ["defenses.rnn_trades.start.classifier=x", "adv-train has written"],
        ),
        ("adv-train", ["recipe.checkpoint_seconds=x"], ["recipe.checkpoint_seconds=x", "number"]),
        ("adv-train", ["recipe.train=10.5"], ["recipe.train=10.5", "or null"]),
        (
            "reproduce",
            ["experiment=adv_table3_digits", "attackers.rnn.learned_by=advtrain"],
            ["attackers.rnn.learned_by=advtrain", "rnn_adv"],
        ),
        (
            "reproduce",
            ["experiment=adv_table3_digits", "attackers.rnn.maximizer.steps=ten"],
            ["attackers.rnn.maximizer.steps=ten", "whole number"],
        ),
        (
            "adv-evaluate",
            ["analysis=trajectories", "analysis.images=0"],
            ["analysis.images=0", "at least 1"],
        ),
        ("adv-train", ["seeds=[0,1]", "seed=1"], ["seed=1", "seeds=[0, 1]", "seeds=[1]"]),
        (
            "adv-train",
            ["defense=rnn_adv", "recipe.steps=0"],
            ["recipe.steps=0", "at least 1"],
        ),
        ("adv-train", ["defense=plain", "defense.start.classifier=x"], ["start.classifier=x"]),
        (
            "adv-train",
            ["defense=plain", f"defense.start.classifier={__file__}"],
            [__file__, "cannot be read"],
        ),
        (
            "adv-train",
            ["defense=advtrain", f"defense.start.maximizer={RELEASED}"],
            ["start.maximizer", "PGD has no weights"],
        ),
        ("adv-train", ["defense=advtrain", "threat=l2"], ["threat=L2Ball", "threat=linf"]),
        ("adv-train", ["trainer.precision=16-mixed"], ["trainer.precision=16-mixed", "bf16-mixed"]),
        ("adv-train", ["trainer.precision=bf16-true"], ["trainer.precision=bf16-true", "32-true"]),
        (
            "adv-evaluate",
            [
                *UNLEARNED,
                "analysis=trajectories",
                "+defense@surrogates.plain_net=plain",
                "+attacker@attackers.plain_net=plain_net",
            ],
            ["attackers.plain_net.source=plain_net: null; '~attackers.plain_net'"],
        ),
        ("adv-train", ["+trainer.strategy=ddp"], ["trainer.strategy=ddp", "ddp_fork"]),
        ("adv-evaluate", ["attackers=pgd10"], ["attackers"]),
        ("adv-evaluate", [*UNLEARNED, "analysis=cosine"], ["analysis=cosine", "trajectories"]),
        ("adv-evaluate", ["defense=plain"], ["attackers.l2lda.learned_by", "~attackers.l2lda"]),
        ("adv-evaluate", [*UNLEARNED, "robustness.images=0"], ["robustness.images=0", "least 1"]),
        ("adv-evaluate", [*UNLEARNED, "+network.network.classes=3"], ["network.classes=3", "9"]),
    ],
)
def test_bad_input_is_one_error(
    zol2l: Zol2l, command: str, arguments: list[str], told: list[str]
) -> None:
    other = any(text.startswith(("recipe=", "data=")) for text in arguments)
    outcome = zol2l(command, *(QUIET if other else QUICK), *arguments)
    assert outcome.status == 2, outcome.err
    assert "Traceback" not in outcome.err
    for words in told:
        assert words in outcome.err


@pytest.mark.parametrize(
    "wrong",
    ["defenses.rnn_trades.objective.beta=-1", "defenses.rnn_trades.maximizer.normalization=l2"],
)
def test_a_mistake_in_the_last_defense_is_found_before_the_first_is_trained(
    zol2l: Zol2l, tmp_path: Path, wrong: str
) -> None:
    outcome = zol2l("adv-train", *QUICK, wrong)
    assert outcome.status == 2 and wrong in outcome.err
    assert not (tmp_path / "outputs/digits_small_convnet-smoke/defenses").exists()


def test_weights_of_another_network_are_no_start(zol2l: Zol2l, tmp_path: Path) -> None:
    assert zol2l("adv-train", "defense=plain", *QUICK).status == 0
    path = tmp_path / "outputs/digits_small_convnet-smoke/defenses/plain/seed0"
    start = f"defense.start.classifier={path}/classifier.safetensors"
    wider = ("network.network.width=9", "run_name=other")
    outcome = zol2l("adv-train", "defense=plain", *QUICK, start, *wider)
    assert outcome.status == 2 and f"{start}: weights of this classifier" in outcome.err


def test_a_folder_is_not_continued_with_other_settings(zol2l: Zol2l) -> None:
    given = ("adv-train", "defense=plain", *QUICK)
    assert zol2l(*given).status == 0
    outcome = zol2l(*given, "recipe.optimizer.lr=0.2")
    assert outcome.status == 2 and "recipe.optimizer.lr=0.2" in outcome.err


def test_an_attacker_learned_by_another_recipe_is_refused(zol2l: Zol2l) -> None:
    assert zol2l("adv-train", "defense=rnn_adv", *QUICK, "recipe.optimizer.lr=0.2").status == 0
    assert zol2l("adv-train", "defense=advtrain", *QUICK).status == 0
    outcome = zol2l("adv-evaluate", "defense=advtrain", *QUICK, "~attackers.l2lda")
    assert outcome.status == 2
    assert "recipe.optimizer.lr=0.1: 0.2, as rnn_adv was trained" in outcome.err


def test_weights_are_for_the_images_they_were_trained_on(zol2l: Zol2l, tmp_path: Path) -> None:
    split = {"a": 6, "b": 6}
    for name in ("first", "second"):
        picture_folder(tmp_path / name, {"train": split, "test": split}, 8, 8)
    (tmp_path / "first").rename(tmp_path / "moved")
    given = (
        "data=image_folder", "recipe=digits", "network=digits", *QUIET, "run_name=mine",
        "defense=plain", *UNLEARNED, "recipe.training.batch_size=2", "recipe.train=8",
        "recipe.training.held_out=2", "recipe.training.epochs=1",
    )  # fmt: skip
    trained = zol2l("adv-train", *given, f"data.folder={tmp_path}/second")
    assert trained.status == 0, trained.err
    (tmp_path / "second").rename(tmp_path / "elsewhere")
    there = zol2l("adv-evaluate", *given, f"data.folder={tmp_path}/elsewhere")
    assert there.status == 0, there.err
    picture = tmp_path / "moved/train/a/000.png"
    (tmp_path / "moved/test/a/000.png").write_bytes(picture.read_bytes())
    other = zol2l("adv-evaluate", *given, f"data.folder={tmp_path}/moved")
    assert other.status == 2 and "data.folder" in other.err and "set run_name" in other.err
