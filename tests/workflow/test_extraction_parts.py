"""Several jobs decode a dataset, and the store is that of one."""

from pathlib import Path

import pytest
from workflow_runs import Workflow

from benchmark.config.load import load_config
from benchmark.data.frames.extract import extract
from benchmark.data.manifest.manifest import read_manifest
from benchmark.data.profile_datasets import recipe_of

pytestmark = pytest.mark.dag


def test_jobs_share_a_dataset(profile_file, tmp_path):
    def in_parts(content):
        content["extraction_parts"] = 2
        dataset = content["datasets"]["multi"]
        dataset["builtin"] = {"set": "multi", "num_train": 30, "num_val": 10}  # two shards
        dataset["sampling"] = {"positions": 4, "jpeg_quality": 90}

    profile = profile_file("parts", in_parts)
    workflow = Workflow(tmp_path, profile)
    workflow.run_well("all_frames")
    data = workflow.results / "data" / "multi"
    assert sorted(path.name for path in (data / "parts").iterdir()) == [
        "0-of-2.json",
        "1-of-2.json",
    ]
    logs = {n: (workflow.results / "logs" / f"frames_part-multi-{n}.log").read_text() for n in "01"}
    assert "32 of 32" in logs["0"]
    assert "8 of 8" in logs["1"]
    recipe = recipe_of(load_config(Path(profile)), "multi")
    extract(read_manifest(data / "manifest.csv"), tmp_path / "alone", recipe, workers=1)
    stores = [
        {path.name: path.read_bytes() for path in folder.iterdir()}
        for folder in (data / "frames", tmp_path / "alone")
    ]
    assert len(stores[0]) == 6
    assert stores[0] == stores[1]
    assert "Nothing to be done" in workflow.run_well("all_frames")
