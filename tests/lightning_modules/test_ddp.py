"""Two processes take the meta-steps of one process on the joined batch."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import torch
from torch.optim.lr_scheduler import CosineAnnealingLR

from lightning_modules.instances import InstanceStream
from lightning_modules.meta_training import FINAL_RATE
from tests.lightning_modules.ddp_job import META_STEPS
from tests.lightning_modules.toys import FAMILY, module, weights


def joined_in_one_process() -> torch.Tensor:
    """Both devices' instances, each with its device's directions, and the mean of the gradients."""
    ranks = [module(meta_steps=META_STEPS) for _ in range(2)]
    learned = ranks[0].learned
    for rank, job in enumerate(ranks):
        job.optimizer.update = learned
        job.generator = torch.Generator().manual_seed(rank)
    adam = torch.optim.Adam(learned.parameters(), lr=ranks[0].rate)
    decay = CosineAnnealingLR(adam, META_STEPS, eta_min=ranks[0].rate * FINAL_RATE)
    streams = [iter(InstanceStream(FAMILY.sizes["train"], 1, 0, 0, r, 2)) for r in range(2)]
    for batches in itertools.islice(zip(*streams, strict=True), META_STEPS):
        adam.zero_grad()
        for job, batch in zip(ranks, batches, strict=True):
            job.under_way.append(job._start(torch.tensor(batch)))
            objective, _ = job.advance()
            (objective / 2).backward()
        for weight in learned.parameters():
            weight.grad.clamp_(-1, 1)
        adam.step()
        decay.step()
    return weights(learned)


def test_two_processes_give_the_weights_of_one(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.lightning_modules.ddp_job", str(tmp_path)]
    root = Path(__file__).parents[2]
    subprocess.run(command, cwd=root, check=True, timeout=240, capture_output=True)
    first, second = (torch.load(tmp_path / f"rank{r}.pt", weights_only=True) for r in range(2))
    assert torch.equal(first, second)
    expected = joined_in_one_process()
    assert not torch.allclose(first, weights(module().learned), atol=1e-4), "nothing was learned"
    torch.testing.assert_close(first, expected, rtol=1e-5, atol=1e-7)
