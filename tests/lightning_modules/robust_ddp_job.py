"""An adversarial training job on two processes: ...robust_ddp_job OUT norm|none DIES."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch

from tests.lightning_modules.robust_toys import fit, robust, weights
from tests.lightning_modules.toys import QUIET

if __name__ == "__main__":
    torch.set_num_threads(1)
    folder, norm, dies = Path(sys.argv[1]), sys.argv[2] == "norm", int(sys.argv[3])
    job = robust(dropout=0.0, batch_size=2, norm=norm)
    original = job._update

    def update() -> None:
        if job.updates == dies:
            os._exit(9)
        original()

    job._update = update  # type: ignore[method-assign]
    fit(job, folder / "run", trainer={**QUIET, "devices": 2, "strategy": "ddp"})
    torch.save(weights(job), folder / f"rank{job.global_rank}.pt")
