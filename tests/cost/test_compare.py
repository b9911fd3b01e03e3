"""The command that shows our count beside those of other tools."""

from __future__ import annotations

import argparse

import pytest

from benchmark.commands.cost import add_arguments, comparison, run
from benchmark.errors import BenchmarkError


def run_command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args(words))


def test_counters_stand_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command("vit_b_32", "--input", "3x224x224") == 0
    text = capsys.readouterr().out
    heads = next(line for line in text.splitlines() if "1 GFLOP = 1e9 MACs" in line)
    for counter in ("ours", "fvcore", "ptflops (pytorch)", "ptflops (aten)", "torch"):
        assert counter in heads
    missed = next(line for line in text.splitlines() if line.startswith("  torch, matrix"))
    assert "ours: aten._native_multi_head_attention" in missed


def test_differences_are_named_and_agreement_is_silent() -> None:
    text = comparison(
        {
            "ours": {"aten.conv2d": 4_000_000_000, "aten.lstm": 1_000_000_000},
            "theirs": {"conv": 4_000_000_000, "batch_norm": 500_000_000},
            "twin": {"aten.convolution": 4_000_000_000, "LSTM": 1_000_000_000},
        }
    )
    assert "theirs, outside our rule: +0.500000   (theirs: batch_norm 0.500000; ours: nothing)" in (
        text
    )
    assert "recurrent: -1.000000   (theirs: nothing; ours: aten.lstm 1.000000)" in text
    assert "convolutions:" not in text
    assert "twin," not in text


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["resnt50"], "no network 'resnt50' .did you mean 'resnet50'"),
        (["qqqqqqqqqqqq"], "no network 'qqqqqqqqqqqq'. Fix: use a name of torchvision"),
        (["resnet50", "--input", "224"], "'224' is not an input size"),
        (["resnet50", "--input", "3x0x8"], "'3x0x8' is not an input size"),
        (["x3d_s"], "x3d_s takes clips, not 3x224x224"),
        (["r3d_18"], "r3d_18 does not take an input of 3x224x224"),
    ],
)
def test_faults_say_what_to_do(words: list[str], message: str) -> None:
    with pytest.raises(BenchmarkError, match=message):
        run_command(*words)
