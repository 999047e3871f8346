"""Families put their problems on their device; `meta` stands for one that is not the CPU."""

from __future__ import annotations

import pytest
import torch
from omegaconf import OmegaConf
from torch import Tensor, nn

from zol2l.commands.objects import chosen_device, problem_settings
from zol2l.errors import InvalidInput
from zol2l.optimizees import (
    AttackFamily,
    BinaryClassificationFamily,
    OptimizeeFamily,
    QuadraticFamily,
)
from zol2l.optimizees.function_family import FunctionFamily

META = torch.device("meta")
ROWS = torch.tensor([1, 0])


def total(points: Tensor) -> Tensor:
    return points.square().sum(dim=1)


def attacks() -> AttackFamily:
    victim, images = nn.Sequential(nn.Flatten(), nn.Linear(16, 3)), torch.rand(40, 1, 4, 4)
    labels = victim(images).argmax(dim=1)
    return AttackFamily(victim, images, labels, train=2, validation=2, test=2)


FAMILIES = {
    "quadratic": QuadraticFamily,
    "binary": lambda: BinaryClassificationFamily(samples=70, dimension=5),
    "function": lambda: FunctionFamily("tests.optimizees.test_device.total"),
    "attack": attacks,
}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_placed_problem_is_on_the_device_with_all_that_it_needs(name: str) -> None:
    family: OptimizeeFamily = FAMILIES[name]()
    here = family.placed("train", ROWS)
    family.device = META
    there = family.placed("train", ROWS)
    assert (here.start().device.type, there.start().device) == ("cpu", META)
    start = there.start()
    with pytest.raises(RuntimeError):
        here(start[:, None] + torch.zeros(2, 1, start.shape[1]))
    for seen in (there(start[:, None]), there[:1](start[:1, None])):
        seen.map(lambda x: x if x.device == META else pytest.fail("a part stayed behind"))


def test_a_placed_problem_has_the_values_of_the_family() -> None:
    family = attacks()
    one, other = family.optimizee("train", ROWS), family.placed("train", ROWS)
    theta = one.start()[:, None]
    assert torch.equal(one(theta).loss, other(theta).loss)


def test_results_of_another_device_are_kept_apart() -> None:
    family, cfg = attacks(), OmegaConf.create({"optimizee": {"name": "attack"}})
    here = problem_settings(cfg, family)
    family.device = META
    there = problem_settings(cfg, family)
    assert "device" not in here, "as they were kept before there was a choice"
    assert there == {**here, "device": "meta"}


@pytest.mark.parametrize("strategy", ["ddp_fork", "ddp_fork_find_unused_parameters_true"])
def test_processes_are_forked_from_one_that_uses_no_gpu(strategy: str) -> None:
    cfg = OmegaConf.create({"trainer": {"accelerator": "gpu", "strategy": strategy}})
    assert chosen_device(cfg) == torch.device("cpu")


@pytest.mark.parametrize(("devices", "index"), [(1, 0), ([1], 1), ([3, 2], 3)])
def test_problems_are_solved_on_the_trainers_gpu(
    devices: object, index: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    cfg = OmegaConf.create({"trainer": {"accelerator": "gpu", "devices": devices}})
    assert chosen_device(cfg) == torch.device("cuda", index)


@pytest.mark.parametrize("devices", [[4], [-1], [], ["0"]])
def test_a_gpu_that_is_not_there_is_refused(
    devices: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    cfg = OmegaConf.create({"trainer": {"accelerator": "gpu", "devices": devices}})
    with pytest.raises(InvalidInput, match=r"trainer\.devices.*GPUs are 0 to 3"):
        chosen_device(cfg)
