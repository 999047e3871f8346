"""How a victim is trained: what its `training` may say."""

from __future__ import annotations

from dataclasses import dataclass

from zol2l.errors import require


@dataclass(frozen=True, kw_only=True)
class Training:
    """`epochs` in batches of `batch_size`, a one-cycle learning rate up to `rate`; with `augment`
    images are cropped and reflected at random. `images` limits how many are used (None: all).
    """

    rate: float
    epochs: int
    batch_size: int
    augment: bool = False
    seed: int = 0
    images: int | None = None

    def __post_init__(self) -> None:
        require(self.rate > 0, "rate", self.rate, "a positive learning rate")
        for name in ("epochs", "batch_size"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        limited = self.images is None or self.images >= 1
        require(limited, "images", self.images, "at least 1, or null")
