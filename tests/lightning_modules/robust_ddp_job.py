"""An adversarial training job on two processes: python -m ...robust_ddp_job OUT."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from tests.lightning_modules.robust_toys import fit, robust, weights
from tests.lightning_modules.toys import QUIET

if __name__ == "__main__":
    torch.set_num_threads(1)
    job, folder = robust(dropout=0.0, batch_size=2), Path(sys.argv[1])
    fit(job, folder / "run", trainer={**QUIET, "devices": 2, "strategy": "ddp"})
    torch.save(weights(job), folder / f"rank{job.global_rank}.pt")
