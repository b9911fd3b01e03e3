"""What FrameExit's rivals and later methods publish about cost, and ours for the same parts.

A row stands here only where networks, input sizes and numbers of frames are known. Where the
number of expensive frames is not published it is read back from the published cost, and the row
says so: such a row tests the account, not the method.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmark.cost.literature.parts import (
    conv2d,
    features,
    gru_cell,
    linear,
    listen_to_look_audio,
    lstm_cell,
    network,
)
from benchmark.cost.literature.row import LiteratureRow

__all__ = ["rival_rows"]

Row = LiteratureRow

_SHORT = {"r18": "resnet18", "r50": "resnet50", "r101": "resnet101", "mn2": "mobilenet_v2"}
_AR_NET = "AR-Net, ECCV 2020"
_NUM_CLASSES = 200


def rival_rows() -> Iterator[LiteratureRow]:
    """Yield the rows of all methods but FrameExit, older ones first."""
    yield from _ar_net()
    yield from _scsampler()
    yield from _adaframe_and_liteeval()
    yield from _marl()
    yield from _listen_to_look()
    yield from _ocsampler_and_videoiq()
    yield from _adafocus()
    yield from _x3d_zoo()


def _image(short: str, side: int) -> int:
    return network(_SHORT[short], f"3x{side}x{side}")


def _ar_net() -> Iterator[Row]:
    policy = features("mobilenet_v2", "3x84x84") + lstm_cell(1280, 512)
    policy += linear(512, 7) + linear(512, _NUM_CLASSES)
    rescaled = "the size at 240 px, 0.70, rescaled as if at 224"
    rounded = "a quarter of 224 px, but odd maps round up"
    parts = "AR-Net, ops/net_flops_table.py"
    for title, name, size, published, reason in (
        ("ResNet-50 at 224", "resnet50", 224, 4.11, ""),
        ("ResNet-34 at 168", "resnet34", 168, None, ""),
        ("ResNet-18 at 112", "resnet18", 112, None, ""),
        ("MobileNetV2 at 84", "mobilenet_v2", 84, None, ""),
        ("EfficientNet-B3 at 224", "efficientnet_b3", 224, 1.8, "quoted for 300 px, fed 224"),
        ("EfficientNet-B1 at 168", "efficientnet_b1", 168, 0.394, rescaled),
        ("EfficientNet-B0 at 112", "efficientnet_b0", 112, 0.0975, rounded),
    ):
        macs = network(name, f"3x{size}x{size}")
        yield Row(f"AR-Net's part {title}", parts, published, "the whole network", macs, reason)
    yield Row(
        "AR-Net's part LSTM of 512 units", parts, 2 * 1280**2 / 1e9,
        "LSTM cell, 1280 to 512", lstm_cell(1280, 512), "a formula of other sizes, 2 x 1280^2",
    )  # fmt: skip
    for title, best in (("ResNet", "resnet50"), ("EfficientNet", "efficientnet_b3")):
        yield Row(
            f"AR-Net ({title}), its most: all 16 frames at 224", _AR_NET, None,
            f"16 x (policy at 84 + {best})", 16 * (policy + network(best, "3x224x224")),
            "an upper bound; the published mean depends on the decisions",
        )  # fmt: skip


def _scsampler() -> Iterator[Row]:
    cells = ("table1/scsampler/ResNet/long", "table1/scsampler/ResNet/short")
    released = "quoted for 84 px, the released command feeds 224"
    for side, reason, printed in ((84, "", cells), (224, released, ())):
        yield Row(
            f"SCSampler, light network at {side}", "AR-Net's table, 2.62 a frame", 41.95,
            f"10 x ResNet-50 at 224 + 16 x MobileNetV2 at {side}",
            10 * _image("r50", 224) + 16 * _image("mn2", side), reason, printed,
        )  # fmt: skip


def _adaframe_and_liteeval() -> Iterator[Row]:
    memory = 16 * features("mobilenet_v2", "3x112x112")
    step = features("resnet101", "3x224x224") + lstm_cell(2048 + 1280, 1024)
    yield Row(
        "AdaFrame, ActivityNet", "AR-Net's table, 3.16 a frame", 78.97,
        "8.65 x (ResNet-101 + LSTM of 1024) + 16 x MobileNetV2 at 112",
        round(8.65 * step) + memory,
        "more ResNet-101 frames than the mean of 8.65 in its abstract",
        ("table1/adaframe/ResNet/long",),
    )  # fmt: skip
    coarse, fine = _image("mn2", 112), _image("r101", 224)
    script = "LiteEval, cost script"
    yield Row(
        "LiteEval's part MobileNetV2 at 112", script, 0.08, "the whole network", coarse,
        "rounded to two digits",
    )  # fmt: skip
    yield Row("LiteEval's part ResNet-101", script, 7.82, "the whole network", fine)
    coarse_step = linear(1280, 512) + lstm_cell(512, 512) + linear(512 + 2 * 2048, 2)
    fine_step = linear(2048, 2048) + lstm_cell(2048 + 512, 2048)
    for dataset, role, published in (
        ("ActivityNet", "long", 95.10),
        ("Mini-Kinetics", "short", 99.0),
    ):
        num_fine = (published - 25 * 0.08) / 7.82
        yield Row(
            f"LiteEval, {dataset}", "AR-Net's table, 25 frames", published,
            f"25 coarse steps + {num_fine:.1f} fine steps (what the published cost leaves)",
            25 * (coarse + coarse_step) + round(num_fine * (fine + fine_step)),
            cells=(f"table1/liteeval/ResNet/{role}",), read_back=True,
        )  # fmt: skip


def _marl() -> Iterator[Row]:
    final_frames = (15.6, 23.4, 31.2, 39.0, 62.4)
    all_frames = (87.0, 125.0, 163.0, 202.0, 309.0)
    for num_agents, final, every in zip((2, 3, 4, 5, 8), final_frames, all_frames, strict=True):
        ours = num_agents * _image("r101", 224)
        what, parts = f"MARL, {num_agents} agents", f"{num_agents} x ResNet-101"
        yield Row(what, "FrameExit, Figure 6", final, parts, ours)
        yield Row(
            what, "AR-Net's and AdaFocus's figures (read off)", every, parts, ours,
            "counts every frame that the agents pass, the other account only where they end",
        )  # fmt: skip


def _listen_to_look() -> Iterator[Row]:
    queries = 2 * (linear(1024, 1024) + linear(1024, 512))
    skimmer = lstm_cell(512, 1024) + queries + linear(1024, 2)
    yield Row(
        "ListenToLook (MobileNetV2 | ResNet-101)", "AR-Net's table, 5.09 a frame", 81.36,
        "16 x MobileNetV2 at 224 + 10 x (ResNet-101 + attention step)",
        16 * features("mobilenet_v2", "3x224x224")
        + 10 * (features("resnet101", "3x224x224") + skimmer),
        cells=("table1/listen_to_look/ResNet/long",),
    )  # fmt: skip
    yield Row(
        "ListenToLook (image, audio | image, audio)", "FrameExit, Table 1", 37.5,
        "16 time steps of image and audio ResNet-18 + 10 attention steps",
        16 * (features("resnet18", "3x224x224") + listen_to_look_audio()) + 10 * skimmer,
        "time steps and spectrogram size (here 16 and 101 x 40) are not stated",
        ("table1/listen_to_look_audio/ResNet/long",),
    )  # fmt: skip


def _ocsampler_and_videoiq() -> Iterator[Row]:
    for num_kept, published in ((4, 17.5), (5, 21.7), (6, 25.8)):
        yield Row(
            f"OCSampler, {num_kept} of 10 frames", "Uni-AdaFocus, Table 2 and figure", published,
            f"{num_kept} x ResNet-50 + 10 x MobileNetV2 at 128",
            num_kept * _image("r50", 224) + 10 * _image("mn2", 128),
        )  # fmt: skip
    code = "VideoIQ, released code"
    yield Row("VideoIQ, base of 16 frames", code, 65.76, "16 x ResNet-50", 16 * _image("r50", 224))
    yield Row(
        "VideoIQ, policy's features", code, 0.779, "16 x MobileNetV2 at 84, no classifier",
        16 * features("mobilenet_v2", "3x84x84"),
    )  # fmt: skip
    yield Row(
        "VideoIQ, policy's LSTM", code, 0.119, "16 x LSTM cell, 1280 to 512",
        16 * lstm_cell(1280, 512), "twice ours: 2 operations a MAC, unlike its other parts",
    )  # fmt: skip


def _adafocus() -> Iterator[Row]:
    centre = conv2d(1280, 64, 7) + linear(64 * 49, 2048) + gru_cell(2048, 2048)
    pooled = linear(1280 + 2048, 4096) + linear(4096, _NUM_CLASSES)
    glance = features("mobilenet_v2", "3x224x224")
    patches = {96: (0.7507, 17.6), 128: (1.3346, 27.0), 160: (2.0853, 39.0), 192: (3.0028, 53.7)}
    for side, (published_patch, published) in patches.items():
        patch = features("resnet50", f"3x{side}x{side}")
        yield Row(
            f"Uni-AdaFocus's part ResNet-50 at {side}", "Uni-AdaFocus, released code",
            published_patch, "ResNet-50, no classifier", patch,
        )  # fmt: skip
        yield Row(
            f"AdaFocusV2, 16 frames, patches of {side}", "AdaFocusV2, released code", published,
            "16 x (MobileNetV2 at 224 + patch centre + ResNet-50 + head + classifier)",
            16 * (glance + centre + patch + pooled),
        )  # fmt: skip


def _x3d_zoo() -> Iterator[Row]:
    for name, size, published in (
        ("x3d_xs", "3x4x160x160", 0.60),
        ("x3d_xs", "3x4x182x182", 0.91),
        ("x3d_s", "3x13x160x160", 1.96),
        ("x3d_s", "3x13x182x182", 2.96),
        ("x3d_m", "3x16x224x224", 4.73),
        ("x3d_m", "3x16x256x256", 6.72),
    ):
        yield Row(
            f"{name} at {size}", "PyTorchVideo and PySlowFast model zoos", published,
            "the whole network", network(name, size),
            "the numbers at the test crop include ops that are no convolutions",
        )  # fmt: skip
