"""A meta-training job on two processes: python -m tests.lightning_modules.ddp_job OUT."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from tests.lightning_modules.toys import module, train, weights

META_STEPS = 4

if __name__ == "__main__":
    torch.set_num_threads(1)
    job = train(module(meta_steps=META_STEPS), batch_size=1, devices=2, strategy="ddp")
    torch.save(weights(job.learned), Path(sys.argv[1]) / f"rank{job.global_rank}.pt")
