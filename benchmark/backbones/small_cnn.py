"""A small network for the built-in videos: four convolutions and a global maximum.

Its task is to see glyphs of about a fifth of the frame's side; the global maximum answers 'is there
one anywhere', so position costs nothing. Sized so that thousands of videos take seconds on a CPU.
"""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["SmallCnn"]


class SmallCnn(nn.Module):
    """`[N, 3, H, W] -> [N, 8 * width]`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        channels = (3, width, 2 * width, 4 * width, 8 * width)
        strides = (2, 2, 1, 2)
        blocks: list[nn.Module] = []
        for i, stride in enumerate(strides):
            blocks += [
                nn.Conv2d(channels[i], channels[i + 1], 3, stride, padding=1, bias=False),
                nn.BatchNorm2d(channels[i + 1]),
                nn.ReLU(inplace=True),
            ]
        self.body = nn.Sequential(*blocks)

    def forward(self, images: Tensor) -> Tensor:
        """Return the maximum of each channel over all positions."""
        features: Tensor = self.body(images).amax(dim=(2, 3))
        return features
