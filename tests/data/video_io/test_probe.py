import hashlib

import av
import numpy as np
import pytest

from benchmark.data.video_io.decoding import decode_frames
from benchmark.data.video_io.probe import probe_file, probe_files
from benchmark.data.video_io.time_stamps import read_timeline


def _truncated(tmp_path, write_video, share, faststart):
    path = write_video(tmp_path / "v.mp4", num_frames=60, faststart=faststart)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def _sound_only(tmp_path):
    path = tmp_path / "v.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        silence = np.zeros((1, 4096), np.float32)
        sound = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        sound.sample_rate = 16000
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("make", "status", "reason"),
    [
        (lambda t, w: _truncated(t, w, 0.6, True), "unreadable", "truncated"),
        (lambda t, w: _truncated(t, w, 0.999, True), "unreadable", "truncated"),
        (lambda t, w: _truncated(t, w, 0.6, False), "unreadable", "Invalid data"),
        (lambda t, w: (t / "v.mp4", (t / "v.mp4").touch())[0], "unreadable", "empty"),
        (lambda t, w: (t / "v.mp4", (t / "v.mp4").write_text("hello"))[0], "unreadable", "Invalid"),
        (lambda t, w: _sound_only(t), "no_video", "sound without pictures"),
        (lambda t, w: t / "v.mp4", "missing", "no such file"),
        (lambda t, w: t / "nowhere" / "v.mp4", "missing", "no such folder: nowhere"),
    ],
    ids=["cut", "cut-last-frame", "no-header", "empty", "text", "sound", "missing", "folder"],
)
def test_what_is_no_whole_video_is_named_with_a_reason(tmp_path, write_video, make, status, reason):
    facts = probe_file(make(tmp_path, write_video))
    assert (facts.status, facts.num_frames) == (status, 0)
    assert reason in facts.reason


@pytest.mark.parametrize("sound", [True, False])
def test_facts_of_a_video(tmp_path, write_video, sound):
    path = write_video(tmp_path / "v.mp4", num_frames=25, width=64, height=48, fps=5, sound=sound)
    facts = probe_file(path)
    assert facts.status == "ok"
    assert facts.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (facts.num_frames, facts.fps, facts.duration_s) == (25, 5.0, 5.0)
    assert (facts.width, facts.height, facts.has_audio) == (64, 48, sound)


def test_facts_do_not_depend_on_the_number_of_workers(tmp_path, write_video):
    paths = [write_video(tmp_path / f"{seed}.mp4", seed=seed) for seed in range(3)]
    paths.append(tmp_path / "missing.mp4")
    seen = []
    assert probe_files(paths, workers=2, progress=lambda *at: seen.append(at)) == probe_files(paths)
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def _moved(source, target, move):
    """Copy the packets of a video, each at the stamp that `move` makes of its own, in seconds."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        stream = old.streams.video[0]
        copied = new.add_stream_from_template(stream)
        for packet in old.demux(stream):
            if packet.dts is None:
                continue
            base = packet.time_base
            packet.pts, packet.dts = (
                round(move(float(stamp * base)) / base) for stamp in (packet.pts, packet.dts)
            )
            packet.stream = copied
            new.mux(packet)
    return target


def test_a_clip_that_was_cut_without_coding_it_anew_is_whole(tmp_path, write_video):
    source = write_video(tmp_path / "film.mp4", num_frames=60)
    clip = _moved(source, tmp_path / "clip.mp4", lambda second: second - 2.7)
    with av.open(str(clip)) as container:
        assert container.streams.video[0].frames == 60  # those before the cut are hidden
    facts = probe_file(clip)
    assert (facts.status, facts.num_frames, facts.fps, facts.duration_s) == ("ok", 33, 10.0, 3.3)
    there = decode_frames(source, read_timeline(source), np.arange(27, 60)).frames
    for reader in ("pyav", "decord"):
        shown = decode_frames(clip, read_timeline(clip), np.arange(33), reader=reader)
        np.testing.assert_array_equal(shown.frames, there)


@pytest.mark.parametrize("share", [0.3, 0.8])
def test_a_container_that_counts_no_pictures_is_measured_by_its_length(
    tmp_path, write_video, share
):
    path = write_video(tmp_path / "v.mkv", num_frames=100)
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames == 0
    facts = probe_file(path)
    assert (facts.status, facts.num_frames, facts.fps) == ("ok", 100, 10.0)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    facts = probe_file(path)
    assert (facts.status, facts.num_frames) == ("unreadable", 0)
    assert facts.reason.startswith("truncated: ")
    assert facts.reason.endswith(" of 10.0 s are there")


@pytest.mark.parametrize("kind", ["mkv", "mp4"])
def test_sound_that_goes_on_after_the_pictures_is_no_fault(tmp_path, kind):
    path = tmp_path / f"v.{kind}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 48, 48, "yuv420p"
        voice = container.add_stream("aac", rate=16000, layout="mono")
        picture = av.VideoFrame.from_ndarray(np.zeros((48, 48, 3), np.uint8), format="rgb24")
        for _ in range(20):
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
        for _ in range(200):
            silence = np.zeros((1, 1024), np.float32)
            piece = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
            piece.sample_rate = 16000
            container.mux(voice.encode(piece))
        container.mux(voice.encode(None))
    facts = probe_file(path)
    assert (facts.status, facts.num_frames, facts.duration_s) == ("ok", 20, 2.0)


@pytest.mark.parametrize("kind", ["mkv", "mp4"])
def test_time_stamps_decide_where_the_header_guesses_the_rate(tmp_path, write_video, kind):
    source = write_video(tmp_path / "v.mp4", num_frames=60)
    # The second half at half the speed: 10 pictures a second for 3 s, then 5 for 6 s.
    path = _moved(source, tmp_path / f"slow.{kind}", lambda s: s if s < 3 else 3 + 2 * (s - 3))
    facts = probe_file(path)
    assert (facts.status, facts.num_frames) == ("ok", 60)
    assert facts.fps == pytest.approx(60 / 9, rel=0.02)
    assert facts.duration_s == pytest.approx(9, rel=0.02)
