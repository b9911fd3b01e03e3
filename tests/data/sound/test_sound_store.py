"""The sound store: what is read is what was decoded, however it was written."""

import json
import shutil
import socket
import subprocess
import sys

import numpy as np
import pytest

from benchmark.data.builtin.generate import generate
from benchmark.data.manifest.manifest import write_manifest
from benchmark.data.sound.decoding import NO_TRACK, RATE_HZ, decode_sound
from benchmark.data.sound.extract import extract_sound, sound_bytes
from benchmark.data.sound.store import SoundStore
from benchmark.errors import BenchmarkError

NUM_SHARDS, FPS = 2, 6


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, write_video, toy_manifest):
    """Thirty videos with sound and ten without, and their manifest on disk."""
    folder = tmp_path_factory.mktemp("dataset")
    generate("short", folder / "short", num_train=30, num_val=0, seed=2)
    paths = sorted(folder.rglob("*.mp4"))
    for number in range(10):
        paths.append(write_video(folder / "mute" / f"{number}.mp4", seed=number, fps=FPS))
    lines = [f"{path.relative_to(folder)},run,train" for path in paths]
    (folder / "labels.csv").write_text("\n".join(["path,label,split", *lines]))
    manifest = toy_manifest(folder)
    write_manifest(manifest, folder / "manifest.csv")
    return manifest


@pytest.fixture(scope="module")
def stored(dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stored")
    extract_sound(dataset, folder, workers=1)
    return folder


def _contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_stored_sound_is_the_videos_own(dataset, stored):
    store, rows = SoundStore.open(stored), dataset.usable()
    assert len(list(stored.glob("*.bin"))) == NUM_SHARDS
    for name, path, duration, has_audio in zip(
        *(rows[c] for c in ("video_id", "path", "duration_s", "has_audio")), strict=True
    ):
        expected = decode_sound(dataset.root / path, duration, 0.0).samples
        assert (store.waveform(name) == expected).all()
        assert (len(expected) > 0) == has_audio
        assert store.faults.get(name) == (None if has_audio else NO_TRACK)
    ids = rows["video_id"].tolist()
    assert store.num_silent(ids) == 10
    assert not store.is_silent
    assert sum(path.stat().st_size for path in stored.glob("*.bin")) == sound_bytes(dataset)
    with pytest.raises(BenchmarkError, match="no sound was looked for in 'nobody'"):
        store.waveform("nobody")


def test_windows_are_around_the_moment_of_a_picture(dataset, stored):
    store = SoundStore.open(stored)
    name, fps = dataset.usable()[["video_id", "fps"]].iloc[-1]
    wave = np.concatenate([np.zeros(500, np.int16), store.waveform(name), np.zeros(500, np.int16)])
    frames = np.array([3, 0, 3, 59])
    assert len(wave) == 1000 + 60 * RATE_HZ / fps
    windows = store.windows(name, frames / fps, 1000)
    for window, frame in zip(windows, frames, strict=True):
        start = round(frame * RATE_HZ / fps)  # of 500 samples before the moment, in the padded wave
        assert (window == wave[start : start + 1000]).all()
    assert windows.any(axis=1).all()
    silent = dataset.usable()["video_id"].iloc[0]
    assert store.windows(silent, np.array([0, 5]), 700).tolist() == [[0] * 700] * 2


def test_the_number_of_workers_does_not_change_a_byte(dataset, stored, tmp_path):
    seen = []
    extract_sound(dataset, tmp_path, workers=2, progress=lambda *at: seen.append(at))
    assert _contents(tmp_path) == _contents(stored)
    assert seen[-1] == (40, 40)


_KILLED = """
import sys, time
from pathlib import Path
from benchmark.data.sound.extract import extract_sound
from benchmark.data.manifest.manifest import read_manifest

def stop_after_the_first_shard(done, total):
    print(done, flush=True)
    time.sleep(600)

extract_sound(read_manifest(Path(sys.argv[1])), Path(sys.argv[2]), workers=1,
              progress=stop_after_the_first_shard)
"""


def test_a_killed_extraction_goes_on_and_ends_in_the_same_bytes(dataset, stored, tmp_path):
    command = [sys.executable, "-c", _KILLED, str(dataset.root / "manifest.csv"), str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "32\n"
    process.kill()
    process.wait()
    process.stdout.close()
    with pytest.raises(BenchmarkError, match="no sound store, or an unfinished one"):
        SoundStore.open(tmp_path)
    first = tmp_path / "sound-00000.bin"
    written = first.stat().st_mtime_ns
    host = socket.gethostname().replace(".", "-")
    left = tmp_path / f".sound-00001.bin.{host}.{process.pid}.partial"  # as the killed one names it
    left.write_bytes(b"half a shard")
    (tmp_path / "sound-00007.bin").write_bytes(b"of a longer manifest")
    extract_sound(dataset, tmp_path, workers=1)
    assert _contents(tmp_path) == _contents(stored)
    assert first.stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "sound-00001.bin").unlink(), "the shard is missing or has not"),
        (lambda f: (f / "sound-00001.bin").write_bytes(b"12"), "the shard is missing or has not"),
        (
            lambda f: (f / "index.json").write_text("{}"),
            "index.json: the record of the sound store carries no seal",
        ),
        (
            lambda f: (f / "index.json").write_text(
                (f / "index.json").read_text().replace('"fault": "no', '"fault": "so', 1)
            ),
            "the record of the sound store was changed",
        ),
    ],
)
def test_a_damaged_store_is_explained(stored, tmp_path, spoil, said):
    folder = shutil.copytree(stored, tmp_path / "copy")
    spoil(folder)
    with pytest.raises(BenchmarkError, match=said):
        SoundStore.open(folder)


def test_changed_bytes_are_found_when_they_are_read_and_made_again(dataset, stored, tmp_path):
    folder = shutil.copytree(stored, tmp_path / "copy")
    path = folder / "sound-00000.bin"
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    store = SoundStore.open(folder)
    with pytest.raises(BenchmarkError, match=r"sound-00000.bin: '.*': its sound was changed"):
        [store.waveform(video) for video in dataset.usable()["video_id"]]
    extract_sound(dataset, folder, workers=1)
    assert _contents(folder) == _contents(stored)


def test_a_video_that_is_not_the_manifests_is_silent_with_the_reason(
    dataset, tmp_path, toy_manifest
):
    root = shutil.copytree(dataset.root, tmp_path / "videos")
    labels = (root / "labels.csv").read_text().splitlines()
    (root / "labels.csv").write_text("\n".join(labels[:4]))
    manifest = toy_manifest(root)
    one, two, three = manifest.rows["path"]
    (root / one).write_bytes((root / two).read_bytes())
    (root / three).unlink()
    extract_sound(manifest, tmp_path / "store", workers=1)
    store = SoundStore.open(tmp_path / "store")
    assert store.faults == {
        manifest.rows["video_id"][0]: "the file has changed since the manifest was built",
        manifest.rows["video_id"][2]: "No such file or directory",
    }
    index = json.loads((tmp_path / "store" / "index.json").read_text())
    assert [v["num_samples"] > 0 for v in index["shards"][0]["videos"]] == [False, True, False]


def test_a_full_disk_is_said_before_anything_is_written(dataset, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=sound_bytes(dataset) - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(BenchmarkError, match=r"the sound of 'toy' takes .* GB more, .* are free"):
        extract_sound(dataset, tmp_path, workers=1)
    assert not list(tmp_path.iterdir())
