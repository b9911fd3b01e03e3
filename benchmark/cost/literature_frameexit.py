"""What FrameExit publishes about cost, and ours for the same networks and inputs.

Sources: Ghodrati et al., CVPR 2021, and its released inference code. Its GFLOPs are frames times a
constant for each backbone; the mean number of frames is read back by dividing. Ours adds what the
constant leaves out: frame head, gates and the classifier of the exit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmark.cost.literature_parts import features, linear, network
from benchmark.cost.literature_row import LiteratureRow

__all__ = ["frameexit_rows"]

_HEAD_UNITS, _GATE_UNITS = 4096, 64
_NUM_CLASSES = {"ActivityNet": 200, "Mini-Kinetics": 200, "HVU": 3142}
_QUOTED_FOR_300_PIXELS = "quoted for 300 px, fed 224"


@dataclass(frozen=True)
class _Backbone:
    title: str
    network: str
    size: str
    num_features: int
    quoted_gflops: float
    reason: str = ""


_RESNET = _Backbone("ResNet-50", "resnet50", "3x224x224", 2048, 4.12)
_EFFICIENTNET = _Backbone(
    "EfficientNet-B3", "efficientnet_b3", "3x224x224", 1536, 1.8, _QUOTED_FOR_300_PIXELS
)
_X3D = _Backbone("X3D-S", "x3d_s", "3x13x160x160", 2048, 1.96)

_TABLE_ROWS = (
    ("Table 1, without exit", _RESNET, "ActivityNet", 41.2),
    ("Table 1", _RESNET, "ActivityNet", 26.1),
    ("Table 1", _RESNET, "Mini-Kinetics", 19.7),
    ("Table 1, without exit", _EFFICIENTNET, "ActivityNet", 18.0),
    ("Table 1", _EFFICIENTNET, "ActivityNet", 11.4),
    ("Table 1", _EFFICIENTNET, "Mini-Kinetics", 7.8),
    ("Table 1, without exit", _X3D, "ActivityNet", 19.6),
    ("Table 1", _X3D, "ActivityNet", 9.8),
    ("Table 2, beta 1e-3", _RESNET, "HVU", 8.6),
    ("Table 2, beta 1e-5", _RESNET, "HVU", 18.7),
    ("Table 2, beta 1e-3", _EFFICIENTNET, "HVU", 11.7),
    ("Table 2, beta 1e-2", _EFFICIENTNET, "HVU", 5.7),
)


def frameexit_rows() -> Iterator[LiteratureRow]:
    """Yield the constants, the tables' rows and the controls of FrameExit."""
    for backbone in (_RESNET, _EFFICIENTNET, _X3D):
        yield LiteratureRow(
            f"{backbone.title} at {backbone.size}",
            "FrameExit, section 4.1 and inference.py",
            backbone.quoted_gflops,
            "the whole network",
            network(backbone.network, backbone.size),
            backbone.reason,
        )
    yield LiteratureRow(
        "EfficientNet-B3 at 3x300x300",
        "Tan and Le, ICML 2019",
        1.8,
        "the whole network",
        network("efficientnet_b3", "3x300x300"),
    )
    for table, backbone, dataset, published in _TABLE_ROWS:
        yield _method(table, backbone, dataset, published)
    yield LiteratureRow(
        "Uniform-10, ResNet-50, HVU",
        "FrameExit, Table 2",
        41.2,
        "10 x (ResNet-50 + classifier of 3142)",
        10 * (features("resnet50", "3x224x224") + linear(2048, _NUM_CLASSES["HVU"])),
    )
    yield LiteratureRow(
        "3D-ResNet18, HVU, one clip",
        "FrameExit, Table 2",
        38.6,
        "r3d_18 at 3x16x112x112",
        network("r3d_18", "3x16x112x112"),
        "apparently twice 19.3, a figure given for 8 frames of Tran et al. 2017",
    )


def _method(table: str, backbone: _Backbone, dataset: str, published: float) -> LiteratureRow:
    """Return FrameExit itself at the mean number of frames that its published cost implies."""
    num_frames = published / backbone.quoted_gflops
    each_frame = features(backbone.network, backbone.size)
    each_frame += linear(backbone.num_features, _HEAD_UNITS)
    parts = "backbone and frame head"
    if "without exit" not in table:
        each_frame += _gate_macs()
        parts = "backbone, frame head and gate"
    return LiteratureRow(
        f"FrameExit, {backbone.title}, {dataset}",
        f"FrameExit, {table}",
        published,
        f"{num_frames:.2f} frames ({published} / {backbone.quoted_gflops}) of {parts}, "
        "one classifier",
        round(num_frames * each_frame) + linear(_HEAD_UNITS, _NUM_CLASSES[dataset]),
        backbone.reason,
    )


def _gate_macs() -> int:
    both_inputs = 2 * (linear(_HEAD_UNITS, _GATE_UNITS) + linear(_GATE_UNITS, _GATE_UNITS))
    return both_inputs + linear(2 * _GATE_UNITS, 1)
