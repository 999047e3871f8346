"""The generator of L2LDA (Jang et al., ICCV 2019; sizes as in their release)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

INITIAL_STD = 0.02


class ConditionalBatchNorm(nn.Module):
    """Batch normalization with a scale and a shift of its own for each class."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.scale = nn.Embedding(classes, channels)
        self.shift = nn.Embedding(classes, channels)
        nn.init.ones_(self.scale.weight)
        nn.init.zeros_(self.shift.weight)

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        scale: Tensor = self.scale(labels)[:, :, None, None]
        shift: Tensor = self.shift(labels)[:, :, None, None]
        normalized: Tensor = self.norm(features)
        return scale * normalized + shift


class PerturbationUNet(nn.Module):
    """(image, gradient, perturbation) (B, 3C, H, W), labels (B,), code z (B, Z) -> (B, C, H, W) in
    [-1, 1].

    Down: 3x3 convolution to `width` channels, 4x4 with stride 2 to as many, 4x4 with stride 2 to
    twice as many, the last two with class-conditional batch normalization, each seeing z at every
    pixel. Up: two 4x4 transposed convolutions to `width` channels, each followed by what the way
    down had at that size; a 3x3 convolution and tanh. No biases, N(0, 0.02) at the start; z passes
    a two-layer ReLU network. 500,944 weights with 3 channels, 10 classes and the release's width of
    64. Images whose sides are no multiples of 4 pixels are continued by zeros to the next one.
    """

    def __init__(self, channels: int, classes: int = 10, code: int = 8, width: int = 64) -> None:
        super().__init__()
        self.code = nn.Sequential(
            nn.Linear(code, code), nn.ReLU(), nn.Linear(code, code), nn.ReLU()
        )
        self.down1 = nn.Conv2d(3 * channels + code, width, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.down2 = nn.Conv2d(width + code, width, 4, stride=2, padding=1, bias=False)
        self.norm2 = ConditionalBatchNorm(width, classes)
        self.down3 = nn.Conv2d(width + code, 2 * width, 4, stride=2, padding=1, bias=False)
        self.norm3 = ConditionalBatchNorm(2 * width, classes)
        self.up3 = nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1, bias=False)
        self.up3_norm = nn.BatchNorm2d(width)
        self.up2 = nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1, bias=False)
        self.up2_norm = nn.BatchNorm2d(width)
        self.out = nn.Conv2d(2 * width, channels, 3, padding=1, bias=False)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(layer.weight, std=INITIAL_STD)

    def forward(self, inputs: Tensor, labels: Tensor, code: Tensor) -> Tensor:
        height, width = inputs.shape[2:]
        inputs = pad(inputs, (0, -width % 4, 0, -height % 4))
        z = self.code(code)[:, :, None, None]
        first = self.norm1(self.down1(beside(inputs, z))).relu()
        second = self.norm2(self.down2(beside(first, z)), labels).relu()
        third = self.norm3(self.down3(beside(second, z)), labels).relu()
        up = self.up3_norm(self.up3(third)).relu()
        up = self.up2_norm(self.up2(torch.cat([up, second], dim=1))).relu()
        return torch.tanh(self.out(torch.cat([up, first], dim=1)))[:, :, :height, :width]


def beside(features: Tensor, code: Tensor) -> Tensor:
    """The features (B, F, H, W) and, at every pixel, the code (B, Z, 1, 1)."""
    return torch.cat([features, code.expand(-1, -1, *features.shape[2:])], dim=1)
