"""The written files: what the record says is what the decoders return."""

import csv
import subprocess
import sys

import av
import decord
import numpy as np
import pytest

from benchmark.data.builtin.generate import generate
from benchmark.data.builtin.generated import check_generated
from benchmark.data.builtin.plan import plan_video
from benchmark.data.builtin.render import shape_mask
from benchmark.data.builtin.sets import SETS, SHAPES
from benchmark.data.builtin.sound import SAMPLE_RATE_HZ, TONES_HZ
from benchmark.data.builtin.truth import load_truth
from benchmark.errors import BenchmarkError, DamagedFileError

SEED, NUM_TRAIN, NUM_VAL = 4, 20, 4


@pytest.fixture(scope="module", params=SETS)
def made(request, tmp_path_factory):
    """One folder of each set, and the set."""
    folder = tmp_path_factory.mktemp(request.param)
    generate(request.param, folder, num_train=NUM_TRAIN, num_val=NUM_VAL, seed=SEED)
    return folder, SETS[request.param]


def test_lists_agree_with_the_files(made):
    folder, one = made
    truths = load_truth(folder / "truth.jsonl")
    with (folder / "labels.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["split"] for row in rows] == ["train"] * NUM_TRAIN + ["val"] * NUM_VAL
    assert {folder / row["path"] for row in rows} == set(folder.rglob("*.mp4"))
    assert not list(folder.rglob("*.part"))
    for row in rows:
        truth = truths.pop(row["video_id"])
        assert row["path"] == f"videos/{truth.split}/{truth.video_id}.mp4"
        assert tuple(row["labels"].split("|")) == truth.labels
        assert row["difficulty"] == truth.difficulty
        assert (truth.set_name, truth.num_frames) == (one.name, one.num_frames)
    assert not truths


def test_same_seed_same_bytes_whatever_the_workers(made, tmp_path):
    folder, one = made
    generate(one.name, tmp_path, num_train=NUM_TRAIN, num_val=NUM_VAL, seed=SEED, workers=2)
    assert _bytes(folder) == _bytes(tmp_path)
    other = tmp_path / "other"
    generate(one.name, other, num_train=1, num_val=0, seed=SEED + 1)
    name = f"videos/train/{one.name}_train_00000.mp4"
    assert (other / name).read_bytes() != (folder / name).read_bytes()


def test_a_smaller_split_is_the_beginning_of_a_larger_one(made, tmp_path):
    folder, one = made
    generate(one.name, tmp_path, num_train=2, num_val=1, seed=SEED)
    larger = _bytes(folder)
    small = {name: data for name, data in _bytes(tmp_path).items() if name.endswith(".mp4")}
    assert len(small) == 3
    assert all(larger[name] == data for name, data in small.items())


def test_an_interrupted_run_is_completed_and_finished_videos_are_kept(tmp_path):
    def run(report=None):
        generate("short", tmp_path, num_train=5, num_val=3, seed=0, progress=report)

    run()
    undisturbed = _bytes(tmp_path)
    videos = sorted(tmp_path.rglob("*.mp4"))
    for path in videos[2:4]:
        path.with_suffix(".1.part").write_bytes(path.read_bytes()[:1000])
        path.unlink()
    (tmp_path / "truth.jsonl").unlink()
    kept = {path: path.stat().st_mtime_ns for path in videos if path.exists()}
    reports = []
    run(lambda done, total: reports.append((done, total)))
    assert _bytes(tmp_path) == undisturbed
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert reports == [(8, 8)]


def test_a_changed_video_is_an_error_until_it_is_written_again(tmp_path):
    generate("short", tmp_path, num_train=2, num_val=1, seed=0)
    undisturbed = _bytes(tmp_path)
    check_generated(tmp_path)
    video = sorted(tmp_path.rglob("*.mp4"))[1]
    content = bytearray(video.read_bytes())
    content[len(content) // 2] ^= 1
    video.write_bytes(content)
    with pytest.raises(DamagedFileError, match=rf"{video.name}: the video was changed"):
        check_generated(tmp_path)
    generate("short", tmp_path, num_train=2, num_val=1, seed=0)
    assert _bytes(tmp_path) == undisturbed


def test_a_changed_record_of_what_was_generated_is_written_again(tmp_path):
    generate("short", tmp_path, num_train=2, num_val=1, seed=0)
    undisturbed, record = _bytes(tmp_path), tmp_path / "digests.json"
    record.write_text(record.read_text().replace('": "', '": "0', 1))
    with pytest.raises(DamagedFileError, match=r"digests\.json: the record .* was changed after"):
        check_generated(tmp_path)
    generate("short", tmp_path, num_train=2, num_val=1, seed=0)
    assert _bytes(tmp_path) == undisturbed


def test_a_folder_of_another_seed_is_refused(tmp_path):
    generate("short", tmp_path, num_train=1, num_val=0, seed=0)
    with pytest.raises(BenchmarkError, match=r"'seed': 0.*'seed': 1.*Fix: choose another"):
        generate("short", tmp_path, num_train=1, num_val=0, seed=1)


def test_an_unknown_set_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(BenchmarkError, match="did you mean 'multi'"):
        generate("multiple", tmp_path / "new", num_train=1, num_val=1, seed=0)
    assert not (tmp_path / "new").exists()


def test_decord_and_pyav_read_the_stated_video_and_sound(made):
    folder, one = made
    for path in sorted(folder.rglob("*.mp4"))[:6]:
        reader = decord.VideoReader(str(path), num_threads=1)
        frames = reader.get_batch(range(len(reader))).asnumpy()
        starts_s = reader.get_frame_timestamp(range(len(reader)))[:, 0]
        assert frames.shape == (one.num_frames, 64, 64, 3)
        assert reader.get_avg_fps() == one.fps
        np.testing.assert_allclose(starts_s, np.arange(one.num_frames) / one.fps, atol=1e-4)
        with av.open(str(path)) as container:
            picture, sound = container.streams.video[0], container.streams.audio[0]
            assert (picture.codec_context.name, picture.codec_context.pix_fmt) == (
                "h264",
                "yuv420p",
            )
            assert (picture.frames, picture.average_rate) == (one.num_frames, one.fps)
            assert (sound.codec_context.name, sound.rate, sound.channels) == (
                "aac",
                SAMPLE_RATE_HZ,
                1,
            )
            decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(picture)]
        assert np.array_equal(np.stack(decoded), frames)
        duration_s = len(_sound(path)) / SAMPLE_RATE_HZ
        assert abs(duration_s - one.num_frames / one.fps) < 0.1


def test_what_is_recorded_as_visible_is_in_the_pixels_and_nothing_else(made):
    """Colour says whether a glyph is there, in every frame; its outline says which shape."""
    folder, one = made
    for index in range(NUM_TRAIN):
        plan = plan_video(one, SEED, "train", index)
        path = folder / f"videos/train/{plan.truth.video_id}.mp4"
        reader = decord.VideoReader(str(path), num_threads=1)
        frames = reader.get_batch(range(len(reader))).asnumpy().astype(float)
        shown = plan.truth.visible(range(len(reader)))
        for sprite in plan.sprites:
            colour, shape = sprite.glyph.split("_")
            redness = (frames[..., 0] - frames[..., 2]) * (1 if colour == "red" else -1)
            places = [_place(sprite, number, one.num_frames) for number in range(len(reader))]
            boxes = np.stack([redness[n][place] for n, place in enumerate(places)])
            masks = {name: _colour_mask(name, sprite.size_px) for name in SHAPES}
            strength = (boxes * masks[shape]).sum(axis=(1, 2)) / masks[shape].sum()
            visible = shown[:, one.cues.index(sprite.glyph)]
            assert strength[visible].min() > 100  # of about 170 before coding
            assert strength[~visible].max() < 40  # the background's tint
            for box in boxes[visible]:
                outline = box / np.percentile(box, 95)
                unlike = {name: ((outline - mask) ** 2).mean() for name, mask in masks.items()}
                assert min(unlike, key=unlike.get) == shape, (plan.truth.video_id, unlike)


def test_no_frame_is_predicted_across_a_change(made):
    """A frame predicted from one with another set of cues would carry a ghost of it."""
    folder, one = made
    for truth in load_truth(folder / "truth.jsonl").values():
        with av.open(str(folder / f"videos/{truth.split}/{truth.video_id}.mp4")) as container:
            packets = [packet for packet in container.demux(video=0) if packet.size]
        assert [round(p.pts * p.time_base * one.fps) for p in packets] == list(range(len(packets)))
        keys = {number for number, packet in enumerate(packets) if packet.is_keyframe}
        shown = truth.visible(range(one.num_frames))
        changes = set((np.flatnonzero((shown[1:] != shown[:-1]).any(axis=1)) + 1).tolist())
        assert changes <= keys
        assert max(np.diff([*sorted(keys), one.num_frames])) <= 12


def test_the_tone_rings_while_its_glyph_is_visible(made):
    folder, one = made
    heard = set()
    step = SAMPLE_RATE_HZ // one.fps
    times_s = np.arange(step) / SAMPLE_RATE_HZ
    for truth in load_truth(folder / "truth.jsonl").values():
        wave = _sound(folder / f"videos/{truth.split}/{truth.video_id}.mp4")
        starts = np.arange(one.num_frames) * SAMPLE_RATE_HZ // one.fps
        spans = np.stack([wave[start : start + step] for start in starts])
        for shape, tone_hz in TONES_HZ.items():
            level = abs(spans @ np.exp(-2j * np.pi * tone_hz * times_s)) / step * 2
            if truth.sounding is None or truth.sounding.split("_")[1] != shape:
                assert level.max() < 0.05
                continue
            visible = truth.visible(range(one.num_frames))[:, one.cues.index(truth.sounding)]
            # A packet (64 ms) may straddle a change, so the frames beside one are left out.
            steady = (visible[:-2] == visible[1:-1]) & (visible[1:-1] == visible[2:])
            rings = level[1:-1] > 0.1
            assert np.array_equal(rings[steady], visible[1:-1][steady])
            assert rings[steady].any()
            heard.add(shape)
    assert len(heard) >= 3


def test_the_generator_does_not_import_torch():
    code = "import sys, benchmark.data.builtin.generate; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _bytes(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _place(sprite, frame, num_frames):
    y, x = sprite.corner_px(frame, num_frames)
    return slice(y, y + sprite.size_px), slice(x, x + sprite.size_px)


def _colour_mask(shape, size_px):
    """Return a shape as H.264 can colour it: one colour for four pixels."""
    return shape_mask(shape, size_px, block_px=2).repeat(2, axis=0).repeat(2, axis=1)


def _sound(path):
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
