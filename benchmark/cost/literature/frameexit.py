"""What FrameExit publishes about cost, and ours for the same networks and inputs.

Sources: Ghodrati et al., CVPR 2021, and its released inference code. Its GFLOPs are frames times a
constant for each backbone; the mean number of frames is read back by dividing. Ours adds what the
constant leaves out: frame head, gates and the classifier of the exit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmark.cost.literature.parts import features, linear, network
from benchmark.cost.literature.row import LiteratureRow

__all__ = ["HEAD_UNITS", "PAPER_BACKBONES", "PaperBackbone", "frameexit_rows"]

HEAD_UNITS, _GATE_UNITS = 4096, 64
_NUM_CLASSES = {"ActivityNet": 200, "Mini-Kinetics": 200, "HVU": 3142}


@dataclass(frozen=True)
class PaperBackbone:
    """A backbone of the paper.

    Attributes:
        network: its name in `benchmark.cost.networks`, and in the registry of backbones.
        size: of one input.
        quoted_gflops: the paper's constant for one input.
        reason: why the constant differs from ours, where it does.
    """

    title: str
    network: str
    size: str
    num_features: int
    quoted_gflops: float
    reason: str = ""


PAPER_BACKBONES = {
    "ResNet": PaperBackbone("ResNet-50", "resnet50", "3x224x224", 2048, 4.12),
    "EfficientNet": PaperBackbone(
        "EfficientNet-B3", "efficientnet_b3", "3x224x224", 1536, 1.8, "quoted for 300 px, fed 224"
    ),
    "X3D-S": PaperBackbone("X3D-S", "x3d_s", "3x13x160x160", 2048, 1.96),
}
"""By the group under which the paper's tables list them."""


@dataclass(frozen=True)
class _Printed:
    """A cost that the paper prints for FrameExit; `cells` are table/row, of the same backbone."""

    where: str
    group: str
    dataset: str
    gflops: float
    cells: tuple[str, ...]
    exits: bool = True
    pools: bool = True


_ROLES = {"ActivityNet": "long", "Mini-Kinetics": "short", "HVU": "multi"}
_WITHOUT = "Table 1, without exit"
_OWN = ("table1/frameexit", "table3/frameexit", "table4/pooling", "table5/t10")
_PRINTED = (
    _Printed(_WITHOUT, "ResNet", "ActivityNet", 41.2, ("table1/all_frames",), exits=False),
    _Printed(_WITHOUT, "ResNet", "Mini-Kinetics", 41.2, ("table1/all_frames",), exits=False),
    _Printed("Tables 1, 3, 4, 5", "ResNet", "ActivityNet", 26.1, _OWN),
    _Printed("Table 1", "ResNet", "Mini-Kinetics", 19.7, ("table1/frameexit",)),
    _Printed(_WITHOUT, "EfficientNet", "ActivityNet", 18.0, ("table1/all_frames",), exits=False),
    _Printed(_WITHOUT, "EfficientNet", "Mini-Kinetics", 18.0, ("table1/all_frames",), exits=False),
    _Printed("Table 1", "EfficientNet", "ActivityNet", 11.4, ("table1/frameexit",)),
    _Printed("Table 1", "EfficientNet", "Mini-Kinetics", 7.8, ("table1/frameexit",)),
    _Printed(_WITHOUT, "X3D-S", "ActivityNet", 19.6, ("table1/all_frames",), exits=False),
    _Printed("Table 1", "X3D-S", "ActivityNet", 9.8, ("table1/frameexit",)),
    _Printed("Table 2, beta 1e-3", "ResNet", "HVU", 8.6, ("table2/frameexit_1e-3",)),
    _Printed("Table 2, beta 1e-5", "ResNet", "HVU", 18.7, ("table2/frameexit_1e-5",)),
    _Printed("Table 2, beta 1e-3", "EfficientNet", "HVU", 11.7, ("table2/frameexit_1e-3",)),
    _Printed("Table 2, beta 1e-2", "EfficientNet", "HVU", 5.7, ("table2/frameexit_1e-2",)),
    _Printed("Table 3 (1)", "ResNet", "ActivityNet", 27.6, ("table3/sequential",)),
    _Printed("Table 3 (2)", "ResNet", "ActivityNet", 26.7, ("table3/train_random",)),
    _Printed("Table 3 (3)", "ResNet", "ActivityNet", 27.0, ("table3/test_random",)),
    _Printed("Table 3 (4)", "ResNet", "ActivityNet", 25.0, ("table3/random",)),
    _Printed("Table 4, no", "ResNet", "ActivityNet", 27.6, ("table4/no_pooling",), pools=False),
    _Printed("Table 5, T = 4", "ResNet", "ActivityNet", 13.0, ("table5/t4",)),
    _Printed("Table 5, T = 8", "ResNet", "ActivityNet", 22.4, ("table5/t8",)),
    _Printed("Table 5, T = 16", "ResNet", "ActivityNet", 35.1, ("table5/t16",)),
)


def frameexit_rows() -> Iterator[LiteratureRow]:
    """Yield the constants, the tables' rows and the controls of FrameExit."""
    for backbone in PAPER_BACKBONES.values():
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
    for printed in _PRINTED:
        yield _method(printed)
    yield LiteratureRow(
        "Uniform-10, ResNet-50, HVU",
        "FrameExit, Table 2",
        41.2,
        "10 x (ResNet-50 + classifier of 3142)",
        10 * (features("resnet50", "3x224x224") + linear(2048, _NUM_CLASSES["HVU"])),
        cells=("table2/uniform_10/ResNet/multi", "table2/random_10/ResNet/multi"),
    )
    yield LiteratureRow(
        "3D-ResNet18, HVU, one clip",
        "FrameExit, Table 2",
        38.6,
        "r3d_18 at 3x16x112x112",
        network("r3d_18", "3x16x112x112"),
        "apparently twice 19.3, a figure given for 8 frames of Tran et al. 2017",
        ("table2/r3d18/ResNet/multi",),
    )


def _method(printed: _Printed) -> LiteratureRow:
    """Return FrameExit itself at the mean number of frames that its published cost implies."""
    backbone, num_classes = PAPER_BACKBONES[printed.group], _NUM_CLASSES[printed.dataset]
    num_frames = printed.gflops / backbone.quoted_gflops
    each_frame = features(backbone.network, backbone.size)
    each_frame += linear(backbone.num_features, HEAD_UNITS)
    parts, classifier = "backbone and frame head", linear(HEAD_UNITS, num_classes)
    if printed.exits:
        each_frame += _gate_macs(num_inputs=2 if printed.pools else 1)
        parts = "backbone, frame head and gate"
    if not printed.pools:  # the predictions that are averaged: one classifier a frame
        each_frame, classifier = each_frame + classifier, 0
    answer = "one classifier" if printed.pools else "a classifier each"
    return LiteratureRow(
        f"FrameExit, {backbone.title}, {printed.dataset}",
        f"FrameExit, {printed.where}",
        printed.gflops,
        f"{num_frames:.2f} frames ({printed.gflops} / {backbone.quoted_gflops}) of {parts}, "
        f"{answer}",
        round(num_frames * each_frame) + classifier,
        backbone.reason,
        tuple(f"{cell}/{printed.group}/{_ROLES[printed.dataset]}" for cell in printed.cells),
        read_back=printed.exits,
    )


def _gate_macs(num_inputs: int) -> int:
    each_input = linear(HEAD_UNITS, _GATE_UNITS) + linear(_GATE_UNITS, _GATE_UNITS)
    return num_inputs * (each_input + linear(_GATE_UNITS, 1))
