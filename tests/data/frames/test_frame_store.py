import dataclasses
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numbered_videos import number_of, write_numbered

from benchmark.data.frames.extract import extract, extract_part
from benchmark.data.frames.recipe import SamplingRecipe
from benchmark.data.frames.resize import centre_crop, resize_short_side, rounded
from benchmark.data.frames.store import FrameStore
from benchmark.data.manifest.build import build_from_csv
from benchmark.data.manifest.listing import Columns
from benchmark.data.manifest.manifest import read_manifest, write_manifest
from benchmark.errors import BenchmarkError, DamagedFileError

_RECIPE = SamplingRecipe(positions=4, fps=None)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory, write_video, toy_manifest):
    """Seventy videos, three shards, of several sizes and lengths, and their manifest on disk."""
    folder = tmp_path_factory.mktemp("dataset")
    lines = ["path,label,split"]
    for number in range(70):
        name = f"{number:02d}.mp4"
        size = {"width": 48 + 16 * (number % 3), "height": 48}
        write_video(folder / name, seed=number, num_frames=5 + number % 4, **size)
        lines.append(f"{name},run,{'val' if number % 4 else 'train'}")
    (folder / "labels.csv").write_text("\n".join(lines))
    manifest = toy_manifest(folder)
    write_manifest(manifest, folder / "manifest.csv")
    return manifest


@pytest.fixture(scope="session")
def stored(dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stored")
    extract(dataset, folder, _RECIPE, workers=1)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_stored_frames_are_the_videos_own(dataset, stored, decoded_by_pyav):
    store = FrameStore.open(stored)
    assert list(store.video_ids) == dataset.usable()["video_id"].tolist()
    assert store.recipe == _RECIPE
    for video_id in store.video_ids:
        whole = decoded_by_pyav(dataset.root / f"{video_id}.mp4")
        source = store.source_frames(video_id)
        assert source.tolist() == _RECIPE.source_frames(len(whole), 10.0).tolist()
        assert np.array_equal(store.frames(video_id, range(4)), whole[source])
        assert np.array_equal(store.frames(video_id, [3, 1, 3]), whole[source[[3, 1, 3]]])


def test_frames_are_resized_and_cropped_on_request(stored):
    store = FrameStore.open(stored)
    frames = store.frames("02", [0, 2])
    assert frames.shape == (2, 48, 80, 3)
    resized = store.frames("02", [0, 2], size=32)
    assert np.array_equal(resized, centre_crop(resize_short_side(frames, 32), 32))


def test_frames_stored_resized_are_those_resized_later(dataset, stored, tmp_path):
    extract(dataset, tmp_path, SamplingRecipe(4, None, short_side=32), workers=1)
    small, large = FrameStore.open(tmp_path), FrameStore.open(stored)
    assert small.frames("02", [0]).shape == (1, 32, 53, 3)
    for video_id in small.video_ids:
        positions = range(small.num_positions(video_id))
        later = large.frames(video_id, positions, size=32)
        assert later.dtype == np.float32  # rounded only where it is stored
        assert np.array_equal(small.frames(video_id, positions, size=32), rounded(later))


def test_the_number_of_workers_does_not_change_a_byte(dataset, stored, tmp_path):
    seen = []
    extract(dataset, tmp_path, _RECIPE, workers=2, progress=lambda *at: seen.append(at))
    assert contents(tmp_path) == contents(stored)
    assert seen[-1] == (70, 70)


_EXTRACTION = """
import sys
from pathlib import Path
from benchmark.data.frames.extract import extract
from benchmark.data.manifest.manifest import read_manifest
from benchmark.data.frames.recipe import SamplingRecipe

extract(read_manifest(Path(sys.argv[1])), Path(sys.argv[2]), SamplingRecipe(4, None), workers=1)
"""


def test_an_extraction_killed_in_a_shard_goes_on_and_ends_in_the_same_bytes(
    dataset, stored, tmp_path
):
    """The forty-first video is a pipe that nobody fills: there the writer waits to be killed."""
    videos, folder = tmp_path / "videos", tmp_path / "store"
    shutil.copytree(dataset.root, videos)
    (videos / "40.mp4").unlink()
    os.mkfifo(videos / "40.mp4")
    command = [sys.executable, "-c", _EXTRACTION, str(videos / "manifest.csv"), str(folder)]
    with subprocess.Popen(command) as process:
        while process.poll() is None and not list(folder.glob(".shard-00001.bin.*.partial")):
            time.sleep(0.01)
        process.kill()
    assert sorted(path.name for path in folder.glob("shard-*")) == [
        "shard-00000.bin",
        "shard-00000.json",
    ]
    with pytest.raises(BenchmarkError, match="no frame store, or an unfinished one"):
        FrameStore.open(folder)
    before = (folder / "shard-00000.bin").stat()
    (videos / "40.mp4").unlink()
    shutil.copyfile(dataset.root / "40.mp4", videos / "40.mp4")
    extract(read_manifest(videos / "manifest.csv"), folder, _RECIPE, workers=1)
    after = (folder / "shard-00000.bin").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert contents(folder) == contents(stored)


def test_parts_make_the_same_store_byte_for_byte(dataset, stored, tmp_path):
    for part in (2, 0, 1, 3):  # four parts of three shards: the last has nothing to do
        done = extract_part(dataset, tmp_path, _RECIPE, part=part, num_parts=4, workers=1)
        assert done == (part < 3)
        assert not (tmp_path / "index.json").exists()
    before = {path: path.stat().st_ino for path in tmp_path.glob("shard-*")}
    assert len(before) == 6
    extract(dataset, tmp_path, _RECIPE, workers=1)
    assert {path: path.stat().st_ino for path in tmp_path.glob("shard-*")} == before
    assert contents(tmp_path) == contents(stored)


def test_what_others_are_writing_is_left_to_them(dataset, stored, tmp_path):
    folder = tmp_path / "store"
    shutil.copytree(stored, folder)
    host = socket.gethostname().replace(".", "-")
    running = [
        folder / f".shard-00001.bin.{host}.{os.getpid()}.partial",
        folder / ".shard-00001.bin.other-node.1.partial",
    ]
    for path in running:
        path.write_bytes(b"half a shard")
    extract(dataset, folder, _RECIPE, workers=1)
    assert all(path.exists() for path in running)


def test_another_recipe_or_manifest_replaces_the_shards(dataset, stored, tmp_path, write_video):
    shutil.copytree(stored, tmp_path / "store")
    extract(dataset, tmp_path / "store", SamplingRecipe(2, None), workers=1)
    assert FrameStore.open(tmp_path / "store").num_positions("00") == 2
    write_video(tmp_path / "videos" / "new.mp4", seed=99)
    (tmp_path / "videos" / "l.csv").write_text("path,label,split\nnew.mp4,run,val")
    other = build_from_csv(
        tmp_path / "videos" / "l.csv",
        root=tmp_path / "videos",
        columns=Columns(split="split"),
        dataset="other",
        task="single_label",
    )
    extract(other, tmp_path / "store", SamplingRecipe(2, None), workers=1)
    assert FrameStore.open(tmp_path / "store").video_ids == ("new",)
    assert sorted(contents(tmp_path / "store")) == [
        "index.json",
        "shard-00000.bin",
        "shard-00000.json",
        "videos.parquet",
    ]


def test_a_store_depends_on_the_files_and_not_on_their_labels(dataset, stored, tmp_path):
    lines = (dataset.root / "labels.csv").read_text().replace("run", "jump|run")
    (tmp_path / "tags.csv").write_text(lines)
    tags = build_from_csv(
        tmp_path / "tags.csv",
        root=dataset.root,
        columns=Columns(split="split"),
        dataset="tags",
        task="multi_label",
        base=dataset,
    )
    extract(tags, tmp_path / "store", _RECIPE, workers=1)
    assert FrameStore.open(tmp_path / "store").digest == FrameStore.open(stored).digest


def _flip_a_byte(folder, place):
    path = folder / "shard-00001.bin"
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (0, r"shard-00001\.bin: '32': the table of its frames was changed"),
        (47, r"shard-00001\.bin: '32': the table of its frames was changed"),
        (48, r"shard-00001\.bin: '32': its frame 0 was changed"),
        (48 + 48 * 80 * 3, r"shard-00001\.bin: '32': its frame 1 was changed"),
    ],
)
def test_a_changed_frame_is_an_error_when_it_is_read(dataset, stored, tmp_path, place, message):
    """The shard's first video has four frames of 80 x 48 pixels behind a table of 48 bytes."""
    folder = tmp_path / "store"
    shutil.copytree(stored, folder)
    _flip_a_byte(folder, place)
    store = FrameStore.open(folder)
    with pytest.raises(DamagedFileError, match=message):
        store.frames("32", range(4))
    assert np.array_equal(store.frames("33", [0]), FrameStore.open(stored).frames("33", [0]))
    extract(dataset, folder, _RECIPE, workers=1)
    assert contents(folder) == contents(stored)


def test_a_changed_description_of_a_shard_is_not_believed(dataset, stored, tmp_path):
    folder = tmp_path / "store"
    shutil.copytree(stored, folder)
    path = folder / "shard-00001.json"
    path.write_text(path.read_text().replace('"fps": 10.0', '"fps": 10.5', 1))
    extract(dataset, folder, _RECIPE, workers=1)
    assert contents(folder) == contents(stored)


def _cut_with_its_old_time(path):
    """Leave a file as a copy that was broken off may leave it."""
    times = path.stat()
    path.write_bytes(path.read_bytes()[:-1])
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize("change", [_cut_with_its_old_time, Path.unlink])
def test_a_shard_that_is_not_whole_is_made_again(dataset, stored, tmp_path, change):
    folder = tmp_path / "store"
    shutil.copytree(stored, folder)
    change(folder / "shard-00001.bin")
    extract(dataset, folder, _RECIPE, workers=1)
    assert contents(folder) == contents(stored)


def test_exchanged_shards_are_made_again(dataset, stored, tmp_path):
    folder = tmp_path / "store"
    shutil.copytree(stored, folder)
    for kind in ("bin", "json"):
        one, other = (folder / f"shard-0000{number}.{kind}" for number in (0, 1))
        shutil.copyfile(stored / other.name, one)
        shutil.copyfile(stored / one.name, other)
    extract(dataset, folder, _RECIPE, workers=1)
    assert contents(folder) == contents(stored)


def _edit_the_index(folder):
    index = json.loads((folder / "index.json").read_text())
    index["shards"][0]["num_bytes"] += 1
    (folder / "index.json").write_text(json.dumps(index))


def _exchange_the_videos(folder):
    pq.write_table(pa.table({"video_id": ["00"]}), folder / "videos.parquet")


def _edit_the_videos(folder):
    videos = pq.read_table(folder / "videos.parquet")
    offsets = videos["offset"].combine_chunks().to_numpy().copy()
    offsets[1] += 3
    at = videos.schema.get_field_index("offset")
    pq.write_table(videos.set_column(at, "offset", [offsets]), folder / "videos.parquet")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: (f / "shard-00001.bin").write_bytes(b"x"), "the shard has 1 bytes, not"),
        (lambda f: (f / "shard-00001.bin").unlink(), "the shard is missing"),
        (lambda f: (f / "index.json").unlink(), "no frame store, or an unfinished one"),
        (lambda f: (f / "index.json").write_text("{"), "index.json: "),
        (lambda f: (f / "index.json").write_bytes(b"\xff"), "index.json: "),
        (_edit_the_index, "the index was changed"),
        (_edit_the_videos, "the index was changed"),
        (lambda f: (f / "videos.parquet").unlink(), "videos.parquet: "),
        (lambda f: (f / "videos.parquet").write_text("PAR1"), "videos.parquet: "),
        (_exchange_the_videos, "videos.parquet: holds other columns than an index does"),
    ],
    ids=[
        *("size", "shard", "index", "half-index", "index-of-no-text", "edited-index"),
        *("edited-videos", "videos", "half-videos", "other-videos"),
    ],
)
def test_a_changed_or_half_store_is_an_error(stored, tmp_path, change, message):
    folder = tmp_path / "store"
    shutil.copytree(stored, folder)
    change(folder)
    with pytest.raises(BenchmarkError) as raised:
        FrameStore.open(folder)
    assert message in str(raised.value)


def test_unknown_videos_and_positions_are_errors(stored):
    store = FrameStore.open(stored)
    with pytest.raises(BenchmarkError, match="no video '0x'"):
        store.frames("0x", [0])
    for position in (-1, 4):
        with pytest.raises(IndexError):
            store.frames("00", [position])


@pytest.fixture
def damaged(tmp_path, write_video, toy_manifest):
    """Return a function that builds a manifest with one video that only a decoder finds bad."""

    def build(limit):
        root = tmp_path / "videos"
        for name in ("bad", "changed", "good"):
            write_video(root / f"{name}.mp4", num_frames=60, seed=len(name))
        data = bytearray((root / "bad.mp4").read_bytes())
        start, end = data.index(b"mdat") + 2000, data.index(b"moov") - 500
        data[start:end] = bytes(end - start)
        (root / "bad.mp4").write_bytes(data)
        names = ("bad", "changed", "good")
        lines = ["path,label,split", *(f"{name}.mp4,run,val" for name in names)]
        (root / "labels.csv").write_text("\n".join(lines))
        manifest = toy_manifest(root, max_unreadable_fraction=limit)
        assert manifest.counts()["ok"] == 3
        write_video(root / "changed.mp4", num_frames=60, seed=123)
        return manifest

    return build


def test_videos_that_fail_at_extraction_are_named(damaged, tmp_path):
    with pytest.raises(BenchmarkError) as raised:
        extract(damaged(0.4), tmp_path / "store", _RECIPE, workers=1)
    for message in ("bad: pyav", "changed: the file has changed", "2 of 3 videos", "40.00%"):
        assert message in str(raised.value)
    assert not (tmp_path / "store" / "index.json").exists()


def test_up_to_the_limit_the_store_records_failures(damaged, tmp_path):
    extract(damaged(0.7), tmp_path / "store", _RECIPE, workers=1)
    store = FrameStore.open(tmp_path / "store")
    assert store.video_ids == ("good",)
    assert sorted(store.failures) == ["bad", "changed"]
    with pytest.raises(BenchmarkError, match="'bad' could not be decoded"):
        store.frames("bad", [0])


@pytest.mark.clips
def test_the_letterboxed_first_frame_is_not_sampled(clips_root, tmp_path):
    """The first frame of this clip, and it alone, has black bars of 70 pixels left and right."""
    name = "videos/bridge_down/01a9dd89287598bb.mp4"
    (tmp_path / "labels.csv").write_text(f"path,label,split\n{name},bridge_down,val")
    manifest = build_from_csv(
        tmp_path / "labels.csv",
        root=clips_root / "tank_wagon",
        columns=Columns(split="split"),
        dataset="one",
        task="single_label",
    )
    brightness = {}
    for skip_start_s in (0.0, 0.04):
        folder = tmp_path / str(skip_start_s)
        extract(manifest, folder, SamplingRecipe(8, None, skip_start_s=skip_start_s), workers=1)
        frames = FrameStore.open(folder).frames(name.removesuffix(".mp4"), range(8))
        brightness[skip_start_s] = frames[:, :, :60].mean(axis=(1, 2, 3))
    assert brightness[0.0][0] < 10
    assert brightness[0.04].min() > 30


def test_the_manifest_on_disk_extracts_the_same(dataset, stored, tmp_path):
    extract(read_manifest(dataset.root / "manifest.csv"), tmp_path, _RECIPE, workers=1)
    assert contents(tmp_path) == contents(stored)


_LATE = [0, 100, 200, 300, 400, 1400, 2400, 3400, 3500, 3600]  # milliseconds


@pytest.fixture
def uneven(tmp_path, toy_manifest):
    """Return the manifest of a video of varying rate, named by what its frames say, and another."""
    root = tmp_path / "videos"
    write_numbered(root / "uneven.mp4", range(10), stamps=_LATE)
    write_numbered(root / "even.mp4", range(10))
    lines = ["path,label,split", "uneven.mp4,run,val", "even.mp4,run,train"]
    (root / "labels.csv").write_text("\n".join(lines))
    return toy_manifest(root)


def test_a_grid_in_time_is_stored_with_its_moments(uneven, tmp_path):
    assert uneven.rows.set_index("video_id")["constant_rate"].to_dict() == {
        "even": True,
        "uneven": False,
    }
    extract(uneven, tmp_path / "store", SamplingRecipe(None, 1.0), workers=1)
    store = FrameStore.open(tmp_path / "store")
    # Frame 4 is shown from 0.4 to 1.4 s, frame 5 to 2.4 s, and frame 6 to 3.4 s.
    assert store.source_frames("uneven").tolist() == [0, 4, 5, 6]
    assert store.moments_s("uneven").tolist() == pytest.approx([0.0, 0.4, 1.4, 2.4])
    shown = store.frames("uneven", range(store.num_positions("uneven")))
    assert [number_of(frame) for frame in shown] == [0, 4, 5, 6]
    assert (store.source_frames("even").tolist(), store.moments_s("even").tolist()) == ([0], [0])


def test_a_changed_moment_is_an_error(uneven, tmp_path):
    folder = tmp_path / "store"
    extract(uneven, folder, SamplingRecipe(None, 1.0), workers=1)
    videos = pq.read_table(folder / "videos.parquet")
    moments = videos["moments_s"].to_pylist()
    moments[1][2] += 0.5
    at = videos.schema.get_field_index("moments_s")
    changed = pa.array(moments, type=videos.schema.field(at).type)
    pq.write_table(videos.set_column(at, "moments_s", changed), folder / "videos.parquet")
    with pytest.raises(BenchmarkError, match="the index was changed"):
        FrameStore.open(folder)


def test_the_store_says_which_reader_was_used_and_why_not_the_first(tmp_path, toy_manifest):
    root = tmp_path / "videos"
    write_numbered(root / "plain.mp4", range(30))
    write_numbered(root / "stream.ts", range(30))
    (root / "labels.csv").write_text("path,label,split\nplain.mp4,run,val\nstream.ts,run,train\n")
    recipe = SamplingRecipe(30, None, reader="decord")
    extract(toy_manifest(root), tmp_path / "store", recipe, workers=1)
    store = FrameStore.open(tmp_path / "store")
    assert store.reader("plain").startswith("decord ")
    assert store.reader("stream").startswith("pyav ")
    rejected = dict(zip(store.index.texts("video_id"), store.index.texts("rejected"), strict=True))
    assert rejected == {
        "plain": "",
        "stream": "decord: its first picture is not the first of the video",
    }
    for video in ("plain", "stream"):
        assert [number_of(frame) for frame in store.frames(video, range(30))] == list(range(30))


@pytest.mark.parametrize("column", ["num_frames", "width"])
def test_frames_that_are_not_those_of_the_manifest_are_a_fault(uneven, tmp_path, column):
    wrong = uneven.rows.assign(**{column: uneven.rows[column] + 2})
    with pytest.raises(BenchmarkError) as raised:
        extract(
            dataclasses.replace(uneven, rows=wrong),
            tmp_path / "store",
            SamplingRecipe(4, None),
            workers=1,
        )
    assert "the file holds 10 frames of 128 x 96 pixels, the manifest says" in str(raised.value)
