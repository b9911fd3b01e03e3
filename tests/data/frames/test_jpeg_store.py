import io
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import av
import numpy as np
import pytest
import torch
from PIL import Image

from benchmark.data.frames.disk_space import estimate_size
from benchmark.data.frames.extract import extract, extract_part
from benchmark.data.frames.frame_table import TABLE_BYTES_A_FRAME
from benchmark.data.frames.jpeg import SEEN_BYTES_A_PIXEL
from benchmark.data.frames.recipe import SamplingRecipe
from benchmark.data.frames.store import FrameStore
from benchmark.data.manifest.build import build_from_csv
from benchmark.data.manifest.listing import Columns
from benchmark.errors import BenchmarkError

_RAW = SamplingRecipe(6, None, short_side=160, scaling="fit")
_JPEG = replace(_RAW, jpeg_quality=90)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, write_video):
    """Thirty-four videos, two shards, of several sizes."""
    folder = tmp_path_factory.mktemp("dataset")
    lines = ["path,label,split"]
    for number in range(34):
        size = {"width": 48 + 16 * (number % 3), "height": 48}
        write_video(folder / f"{number:02d}.mp4", seed=number, **size)
        lines.append(f"{number:02d}.mp4,run,val")
    (folder / "labels.csv").write_text("\n".join(lines))
    return build_from_csv(
        folder / "labels.csv",
        root=folder,
        columns=Columns(split="split"),
        dataset="toy",
        task="single_label",
    )


@pytest.fixture(scope="module")
def raw(dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw")
    extract(dataset, folder, _RAW, workers=1)
    return FrameStore.open(folder)


@pytest.fixture(scope="module")
def folder(dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("jpeg")
    extract(dataset, folder, _JPEG, workers=1)
    return folder


@pytest.fixture(scope="module")
def coded(folder):
    return FrameStore.open(folder)


def test_frames_come_back_but_for_a_small_error(raw, coded):
    assert coded.video_ids == raw.video_ids
    assert coded.index.shards[0].num_bytes < raw.index.shards[0].num_bytes / 4
    for video in coded.video_ids[::7]:
        ours, true = (store.frames(video, range(6)).astype(float) for store in (coded, raw))
        assert ours.shape == true.shape
        assert 0 < np.abs(ours - true).mean() < 4


def test_any_order_of_positions_gives_the_frames_of_reading_all(coded):
    for video in ("00", "01", "33"):
        whole = coded.frames(video, range(6))
        for chosen in ([3], [5, 0, 5, 4], []):
            assert np.array_equal(coded.frames(video, chosen), whole[chosen])
    with pytest.raises(IndexError):
        coded.frames("00", [6])


def test_pillow_sees_the_same_pixels(folder, coded):
    images = (folder / "shard-00000.bin").read_bytes()
    table = np.frombuffer(images[:72], [("length", "<u4"), ("digest", "<u8")])
    start = 72
    for position, length in enumerate(table["length"].tolist()):
        image = Image.open(io.BytesIO(images[start : start + length]))
        assert np.array_equal(np.asarray(image), coded.frames("00", [position])[0])
        start += length


@pytest.mark.parametrize("open_shards", [1, 256])
def test_threads_that_share_a_store_read_what_one_reads(raw, coded, open_shards, monkeypatch):
    """With room for one open shard, each thread takes the other's from it all the time."""
    monkeypatch.setattr("benchmark.data.frames.store._OPEN_SHARDS", open_shards)
    draw = np.random.default_rng(0)
    requests = [
        (video, draw.integers(6, size=4).tolist()) for video in draw.choice(coded.video_ids, 12)
    ]
    requests += [("00", [1]), ("33", [1])] * 6
    for store in (raw, coded):
        alone = [store.frames(video, positions, 64) for video, positions in requests]
        shared = FrameStore.open(store._folder)
        with ThreadPoolExecutor(3, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            reading = [pool.submit(shared.frames, *request, 64) for request in requests]
            together = [one.result() for one in reading]
        assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_parts_and_several_workers_give_the_same_bytes(dataset, folder, tmp_path):
    for part in (1, 0):
        extract_part(dataset, tmp_path, _JPEG, part=part, num_parts=2, workers=1)
    extract(dataset, tmp_path, _JPEG, workers=2)
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(path.name for path in tmp_path.iterdir())
    assert all((folder / name).read_bytes() == (tmp_path / name).read_bytes() for name in names)


def test_a_damaged_frame_is_named(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "store")
    with (tmp_path / "store" / "shard-00000.bin").open("r+b") as file:
        file.seek(72)
        file.write(bytes(500))
    store = FrameStore.open(tmp_path / "store")
    with pytest.raises(BenchmarkError, match=r"shard-00000\.bin: '00': its frame 0 was changed"):
        store.frames("00", [0])


def test_the_size_is_known_before(dataset, raw, coded):
    exact = estimate_size(dataset.usable(), dataset.root, _RAW)
    assert exact.num_bytes == sum(shard.num_bytes for shard in raw.index.shards)
    assert exact.num_frames == 204
    measured = estimate_size(dataset.usable(), dataset.root, _JPEG)
    true = sum(shard.num_bytes for shard in coded.index.shards)
    assert measured.num_bytes == pytest.approx(true, rel=0.1)


def test_a_title_before_the_pictures_does_not_hide_their_size(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    with av.open(str(tmp_path / "film.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"g": "15"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number in range(400):
            picture = np.roll(noise, number, axis=1) if number >= 200 else np.zeros_like(noise)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    recipe = SamplingRecipe(None, 1.0, jpeg_quality=90)
    manifest = _of_one(tmp_path)
    extract(manifest, tmp_path / "store", recipe, workers=1)
    true = FrameStore.open(tmp_path / "store").index.shards[0].num_bytes
    found = estimate_size(manifest.usable(), manifest.root, recipe)
    assert found.num_bytes == pytest.approx(true, rel=0.15)


def test_videos_that_cannot_be_decoded_are_taken_for_large_ones(tmp_path, write_video):
    write_video(tmp_path / "film.mp4", num_frames=40)
    rows = _of_one(tmp_path).usable()
    (tmp_path / "film.mp4").write_bytes(b"no video")
    found = estimate_size(rows, tmp_path, SamplingRecipe(4, None, jpeg_quality=90))
    assert found.num_bytes == 4 * (TABLE_BYTES_A_FRAME + 48 * 48 * SEEN_BYTES_A_PIXEL[1])


def _of_one(folder):
    (folder / "labels.csv").write_text("path,label,split\nfilm.mp4,run,val\n")
    columns = Columns(split="split")
    facts = {"columns": columns, "dataset": "toy", "task": "single_label"}
    return build_from_csv(folder / "labels.csv", root=folder, **facts)


@pytest.mark.parametrize("recipe", [_RAW, _JPEG], ids=["raw", "jpeg"])
def test_a_disk_that_is_too_small_is_said_before_the_first_shard(dataset, recipe, tmp_path):
    with pytest.raises(BenchmarkError) as raised:
        extract(_as_wide_as_cities(dataset), tmp_path, recipe, workers=1)
    message = rf"{tmp_path}: 204 frames of .* kB each are still to be stored: .* GB are free"
    assert re.match(message, str(raised.value))
    assert not list(tmp_path.iterdir())


def test_what_is_stored_already_asks_for_no_room(dataset, folder, tmp_path):
    """The sides are no part of what the shards were made of, only of what is expected."""
    shutil.copytree(folder, tmp_path / "store")
    extract(_as_wide_as_cities(dataset), tmp_path / "store", _JPEG, workers=1)
    (tmp_path / "store" / "shard-00001.json").unlink()
    with pytest.raises(BenchmarkError, match=r"12 frames of .* kB each are still to be stored"):
        extract(_as_wide_as_cities(dataset), tmp_path / "store", _JPEG, workers=1)


def _as_wide_as_cities(dataset):
    """Return a manifest that claims frames which no disk holds."""
    return replace(dataset, rows=dataset.rows.assign(width=10**8 * dataset.rows["width"]))
