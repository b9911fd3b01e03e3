import hashlib

import av
import numpy as np
import pytest

from benchmark.data.probe import probe_file, probe_files


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
        (lambda t, w: _sound_only(t), "unreadable", "no picture"),
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
