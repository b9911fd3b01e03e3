"""Small networks for the built-in videos: four convolutions and a global maximum.

Its task is to see glyphs of about a fifth of the frame's side; the global maximum answers 'is there
one anywhere', so position costs nothing. Sized so that thousands of videos take seconds on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

__all__ = ["SmallCnn", "SmallCnn3d"]


def _body(
    width: int,
    strides: Sequence[int | tuple[int, int, int]],
    convolution: Callable[..., nn.Module],
    norm: Callable[..., nn.Module],
) -> nn.Sequential:
    channels = (3, width, 2 * width, 4 * width, 8 * width)
    blocks: list[nn.Module] = []
    for i, stride in enumerate(strides):
        blocks += [
            convolution(channels[i], channels[i + 1], 3, stride, padding=1, bias=False),
            norm(channels[i + 1]),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*blocks)


class SmallCnn(nn.Module):
    """`[N, 3, H, W] -> [N, 8 * width]`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = _body(width, (2, 2, 1, 2), nn.Conv2d, nn.BatchNorm2d)

    def forward(self, images: Tensor) -> Tensor:
        """Return the maximum of each channel over all positions."""
        features: Tensor = self.body(images).amax(dim=(2, 3))
        return features


class SmallCnn3d(nn.Module):
    """`[N, 3, L, H, W] -> [N, 8 * width]`: the same in three dimensions, for clips.

    As in 3D-ResNet18, kernels are 3 x 3 x 3 and the strides of the later layers halve time too.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        strides = ((1, 2, 2), (2, 2, 2), (1, 1, 1), (2, 2, 2))
        self.body = _body(width, strides, nn.Conv3d, nn.BatchNorm3d)

    def forward(self, clips: Tensor) -> Tensor:
        """Return the maximum of each channel over all positions and times."""
        features: Tensor = self.body(clips).amax(dim=(2, 3, 4))
        return features
