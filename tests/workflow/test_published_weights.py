"""Published weights are fetched by a job of their own, before anything waits for them."""

from __future__ import annotations

import pytest
import timm
import torch
from workflow_runs import Workflow, last_error

from benchmark.files.sealed_tensors import load_sealed_tensors

pytestmark = pytest.mark.dag
NOWHERE = {"https_proxy": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1"}


def _weights_of(profile_file, folder, backbone, **settings):
    def change(content):
        content["backbone"] = {"network": "resnet18", "finetune": True, **backbone}

    path = profile_file("published", change)
    run = Workflow(folder, path, settings, {**NOWHERE, "TORCH_HOME": str(folder / "torch")})
    return run, run.run("results/published/networks/backbone.safetensors")


def test_a_file_becomes_the_runs_own_and_says_where_it_is_from(profile_file, tmp_path):
    state = timm.create_model("resnet18").state_dict()
    torch.save({f"module.{n}": t for n, t in state.items()}, tmp_path / "mine.pth")
    backbone = {"weights": "file", "file": "{weights_root}/mine.pth", "trained_on": "ImageNet-21k"}
    run, (code, printed) = _weights_of(profile_file, tmp_path, backbone, weights_root=str(tmp_path))
    assert code == 0, printed[-4000:]
    tensors, said = load_sealed_tensors(run.results / "networks" / "backbone.safetensors", "")
    assert torch.equal(tensors["conv1.weight"], state["conv1.weight"])
    assert said["source"].startswith("file mine.pth (ImageNet-21k), sha256 ")


@pytest.mark.parametrize(
    ("backbone", "says"),
    [
        ({"weights": "hub"}, ["resnet18.tv_in1k", "cannot be had", "Fix: ", "weights: file"]),
        ({"weights": "file", "file": "gone.pth"}, ["gone.pth: no such file", "Fix: "]),
    ],
)
def test_weights_that_cannot_be_had_end_the_run_with_the_way_out(
    profile_file, tmp_path, backbone, says
):
    run, (code, printed) = _weights_of(profile_file, tmp_path, backbone)
    said = last_error(printed)
    assert code != 0
    assert all(part in said for part in says), said
    assert "Traceback" not in said
    assert not list((run.results / "networks").glob("*"))
    assert not list((tmp_path / "torch").rglob("*.p*"))
