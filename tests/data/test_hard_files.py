"""The files that people have met, where their folder is named by HARD_FILES.

The other tests make the like of each with PyAV.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numbered_videos import CORNERS, corners_of, number_of

from benchmark.data.manifest.build import build_from_folders
from benchmark.data.video_io.decoding import READERS, decode_frames
from benchmark.data.video_io.probe import probe_file
from benchmark.data.video_io.time_stamps import read_timeline

_SIXTY = list(range(60))
_NULLS = [n - (n % 5 == 3) for n in range(40)]
_RIGHT = {
    **{f"ts/{name}": _SIXTY for name in ("b.ts", "hevc.ts", "mpeg2.ts", "nob.ts", "sound.ts")},
    **{f"ts/{name}": _SIXTY for name in ("src.mp4", "ts_named.mp4", "ts_named.mpg")},
    "ts_cut/whole.ts": _SIXTY,
    "ts_cut/cut.ts": _SIXTY[20:],
    "ts_cut/cut_remuxed.mkv": _SIXTY[20:],
    "two_streams/preview_first.mp4": list(range(90)),
    "two_streams/preview_second.mp4": list(range(90)),
    "two_streams/two_cameras.mp4": list(range(30)),
    "two_streams/two_cameras.mkv": list(range(100, 190)),
    **{f"rotation/{name}.mp4": list(range(20)) for name in ("av1_rotate180", "av1_rotate90")},
    "rotation/h264_rotate90.mp4": list(range(20)),
    "avi_null/capture.avi": _NULLS,
    "avi_null/null_frames.avi": [n // 2 for n in range(120)],
}
"""The numbers of the frames that are shown, by file."""


@pytest.fixture(scope="module")
def hard_files() -> Path:
    root = Path(os.environ.get("HARD_FILES", ""))
    if not (root / "ts").is_dir():
        pytest.skip("set HARD_FILES to the folder of the hard files")
    return root


@pytest.mark.clips
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", _RIGHT)
def test_every_reader_gives_the_frames_that_are_shown(hard_files, name, reader):
    if reader == "torchcodec":
        pytest.importorskip("torchcodec", reason="torchcodec is not installed")
    path = hard_files / name
    facts, timeline = probe_file(path), read_timeline(path)
    decoded = decode_frames(path, timeline, np.arange(facts.num_frames), reader=reader)
    assert [number_of(frame) for frame in decoded.frames] == _RIGHT[name]
    assert decoded.frames.shape[1:3] == (facts.height, facts.width)
    assert corners_of(decoded.frames[0]) == CORNERS


@pytest.mark.clips
def test_only_the_videos_of_a_class_folder_are_listed(hard_files):
    manifest = build_from_folders(hard_files / "stray_files" / "f", dataset="toy", num_folds=2)
    assert manifest.usable()["video_id"].tolist() == ["class_a/v1", "class_b/v2"]
    named = " ".join(manifest.left_out)
    assert sum(manifest.left_out.values()) == 12
    for name in ("class_a/poster.jpg", "class_b/song.mp4", "class_b/links.nfo", "class_b/subs.srt"):
        assert name in named
