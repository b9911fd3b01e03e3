"""What `verify` finds in a profile's data: each file that was changed after it was read.

The files of a whole run are spoilt in tests/workflow/test_spoilt_files.py; here are those that a
finished run may lack.
"""

import shutil
from dataclasses import replace

import pytest

from benchmark.data.frames.index import read_index, write_index
from benchmark.experiment.layout import Layout
from benchmark.verification.data import DataChecks
from benchmark.verification.files import Hashes


@pytest.fixture
def layout(small_plan, tmp_path):
    """Return the files of a copy of the small profile, whose videos are still there."""
    config = small_plan().config
    shutil.copytree(config.folder, tmp_path / "results" / config.profile)
    return Layout.of(config.model_copy(update={"results": str(tmp_path / "results")}))


@pytest.fixture
def faults(small_plan, layout):
    """Return a function that checks the copy."""
    config = small_plan().config.model_copy(update={"results": str(layout.root.parent)})

    def look(*, quick=False, finetune=False):
        network = config.backbone.model_copy(update={"finetune": finetune})
        settings = config.model_copy(update={"backbone": network})
        return DataChecks(settings, Hashes(layout.root), quick=quick).faults("long", ("backbone",))

    return look


def test_data_that_nobody_changed_have_no_fault(faults):
    assert faults() == []


def test_a_changed_video_is_named_unless_the_look_is_quick(layout, faults):
    video = sorted(layout.videos("long").rglob("*.mp4"))[3]
    content = bytearray(video.read_bytes())
    content[len(content) // 2] ^= 1
    video.write_bytes(content)
    (fault,) = faults()
    assert fault == f"{video} is not the video that {layout.manifest('long')} names"
    assert faults(quick=True) == []


def test_a_missing_shard_is_found_where_no_features_are_stored(layout, faults):
    shard = layout.frames("long") / "shard-00000.bin"
    shard.unlink()
    (fault,) = faults(finetune=True)
    assert fault.startswith(f"{shard}: the shard is missing")


def test_frames_of_other_videos_than_the_manifest_names_are_found(layout, faults):
    folder = layout.frames("long")
    index = read_index(folder)
    (shard,) = index.shards
    write_index(replace(index, shards=(shard.model_copy(update={"key": "another"}),)), folder)
    found = " ".join(faults())
    assert f"shard-00000.bin holds other videos than {layout.manifest('long')} names" in found
