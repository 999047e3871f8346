"""Lightning's checkpoints, written as all other files are: whole or not at all."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins.io import TorchCheckpointIO

from zol2l.storage.files import write_atomically


class WholeFiles(TorchCheckpointIO):
    """Checkpoints beside their place, then moved there; Lightning's way goes through /tmp."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        """Write it as torch does. To a file torch.save would not say why it failed."""
        content = BytesIO()
        torch.save(checkpoint, content)
        write_atomically(Path(path), lambda beside: beside.write_bytes(content.getbuffer()))
