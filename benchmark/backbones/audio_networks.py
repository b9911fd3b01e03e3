"""Networks that listen: they take a log-mel spectrogram where others take a picture."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["audio_resnet18", "tiny_audio"]


class _OverFrequency(nn.Module):
    """Mixes the frequencies that are left into one, and keeps the maximum over time."""

    def __init__(self, num_frequencies: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(num_frequencies, 1, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Map `[N, C, time, frequency]` to `[N, C]`."""
        mixed: Tensor = self.mix(maps.movedim(3, 1))
        return mixed[:, 0].amax(dim=2)


def audio_resnet18() -> nn.Module:
    """Return the audio network of Listen to Look (CVPR 2020), `[N, 1, 101, 40] -> [N, 512]`.

    A ResNet-18 of one input channel, with a stem of stride 1; a 1 x 1 convolution over the three
    frequencies that are left, then the maximum over time (`models/networks.py: AudioNet` of its
    release). The weights' names are torchvision's, and `avgpool.mix` for the last convolution.
    """
    from torchvision.models import resnet18  # noqa: PLC0415

    network: nn.Module = resnet18(weights=None)
    network.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=1, padding=3, bias=False)
    network.avgpool, network.fc = _OverFrequency(3), nn.Identity()
    return network


def tiny_audio() -> nn.Module:
    """Return three small convolutions for built-in videos, `[N, 1, 101, 40] -> [N, 80]`.

    Its features keep in which of ten bands something sounded, and forget when.
    """
    layers: list[nn.Module] = []
    for num_inputs, num_outputs, stride in ((1, 4, (4, 2)), (4, 8, (4, 2)), (8, 8, (1, 1))):
        layers += [
            nn.Conv2d(num_inputs, num_outputs, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(num_outputs),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers, nn.AdaptiveMaxPool2d((1, None)), nn.Flatten())
