"""A file is read once, and again when it, what is kept of it, or the code that reads it changed."""

import json
import os

import pytest

from benchmark.data.video_io.probe_cache import ProbeCache
from benchmark.files.writing import digest_of


@pytest.fixture
def video(tmp_path, write_video):
    """Return a video of twelve frames of which another number is kept, with its digest."""
    video = write_video(tmp_path / "a.mp4", num_frames=12)
    assert _num_frames(video) == 12
    first, line = _lines(video)
    *said, _ = json.loads(line)
    said[3]["num_frames"] = 13
    _record(video).write_text(f"{first}\n{json.dumps([*said, digest_of(said)])}\n")
    return video


def _facts(video):
    return ProbeCache(video.with_name("manifest.csv"))


def _record(video):
    return _facts(video).path


def _lines(video):
    return _record(video).read_text().splitlines()


def _num_frames(video):
    """Return what the next job takes for the number of frames."""
    (facts,) = _facts(video).probe_files([video], workers=1, progress=None)
    return facts.num_frames


def test_what_is_kept_of_a_file_is_believed(video):
    assert _num_frames(video) == 13


def _touch(video):
    os.utime(video, ns=(1, 1))


def _lengthen(video):
    times = video.stat()
    video.write_bytes(video.read_bytes() + bytes(8))
    os.utime(video, ns=(times.st_atime_ns, times.st_mtime_ns))


def _edit_what_is_kept(video):
    _record(video).write_text(_record(video).read_text().replace('"fps": 10', '"fps": 11'))


def _change_the_code_that_read_it(video):
    _record(video).write_text("\n".join(["other code", *_lines(video)[1:]]) + "\n")


@pytest.mark.parametrize(
    "change", [_touch, _lengthen, _edit_what_is_kept, _change_the_code_that_read_it]
)
def test_a_file_is_read_again_when_anything_changed(video, change):
    before = (_record(video).read_text(), video.stat())
    change(video)
    assert (_record(video).read_text(), video.stat()) != before
    assert _num_frames(video) == 12
    assert _facts(video).damaged_lines() == []
    assert _num_frames(video) == 12
