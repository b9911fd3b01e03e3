"""The frames that a container promises are those that can be shown, and when."""

from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest
from numbered_videos import (
    CORNERS,
    corners_of,
    cut_transport_stream,
    number_of,
    numbered_picture,
    write_numbered,
    write_two_streams,
)

from benchmark.data.frames.recipe import SamplingRecipe
from benchmark.data.video_io.decoding import decode_frames
from benchmark.data.video_io.picture_stream import NotAVideoError, open_video
from benchmark.data.video_io.probe import probe_file
from benchmark.data.video_io.time_stamps import UnfitError, read_timeline


def _numbers(path, reader="pyav"):
    """Return the numbers of all frames of a video, and how they were decoded."""
    timeline = read_timeline(path)
    decoded = decode_frames(path, timeline, np.arange(timeline.num_frames), reader=reader)
    return [number_of(frame) for frame in decoded.frames], decoded


@pytest.mark.parametrize("reader", ["pyav", "decord"])
@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.ts", "libx264"),
        ("named.mp4", "libx264"),
        ("named.mpg", "libx264"),
        ("hevc.ts", "libx265"),
        ("mpeg2.ts", "mpeg2video"),
    ],
)
def test_transport_streams_give_all_frames_from_the_first_on(tmp_path, name, codec, reader):
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no encoder {codec}")
    rate = 25 if codec == "mpeg2video" else 10
    path = write_numbered(tmp_path / name, codec=codec, rate=rate, form="mpegts")
    assert probe_file(path).num_frames == 60
    found, decoded = _numbers(path, reader)
    assert found == list(range(60))
    if reader == "decord" and codec != "mpeg2video":
        assert decoded.reader.startswith("pyav ")
        assert decoded.rejected.startswith("decord: ")


def test_frames_before_the_first_key_frame_are_not_counted(tmp_path):
    whole = write_numbered(tmp_path / "whole.ts")
    cut = cut_transport_stream(whole, tmp_path / "cut.ts", 0.25)
    with av.open(str(cut)) as container:
        num_packets = sum(bool(packet.size) for packet in container.demux(video=0))
    facts = probe_file(cut)
    assert num_packets > facts.num_frames == 40
    assert facts.start_s == pytest.approx(probe_file(whole).start_s + 2)
    for reader in ("pyav", "decord"):
        assert _numbers(cut, reader)[0] == list(range(20, 60))


@pytest.mark.parametrize(
    ("name", "sizes", "default", "chosen"),
    [
        ("preview_first.mp4", [(64, 48), (128, 96)], None, 1),
        ("preview_second.mp4", [(128, 96), (64, 48)], None, 0),
        ("default_first.mkv", [(64, 48), (128, 96)], 0, 0),
        ("default_second.mkv", [(128, 96), (64, 48)], 1, 1),
        ("alike.mp4", [(128, 96), (128, 96)], None, 0),
    ],
)
def test_every_stage_reads_the_default_stream_or_else_the_largest(
    tmp_path, name, sizes, default, chosen
):
    path = write_two_streams(tmp_path / name, sizes, default)
    facts = probe_file(path)
    assert (facts.stream, facts.width, facts.height) == (chosen, *sizes[chosen])
    for reader in ("pyav", "decord"):
        assert _numbers(path, reader)[0] == list(range(100 * chosen, 100 * chosen + 20))


@pytest.mark.parametrize("codec", ["libx264", "libsvtav1"])
@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_every_reader_returns_upright_frames(tmp_path, codec, rotation):
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no encoder {codec}")
    path = write_numbered(
        tmp_path / "a.mp4", range(12), size=(192, 128), codec=codec, rotation=rotation, options={}
    )
    facts = probe_file(path)
    assert (facts.width, facts.height) == (192, 128)
    for reader in ("pyav", "decord"):
        found, decoded = _numbers(path, reader)
        assert found == list(range(12))
        assert corners_of(decoded.frames[0]) == CORNERS


def test_an_empty_frame_of_avi_repeats_the_one_before(tmp_path):
    shown = [n for n in range(40) if n % 5 != 3]
    path = write_numbered(
        tmp_path / "a.avi", shown, stamps=shown, clock=10, codec="mjpeg", options={}
    )
    facts = probe_file(path)
    assert (facts.status, facts.num_frames, facts.fps) == ("ok", 40, 10.0)
    for reader in ("pyav", "decord"):
        assert _numbers(path, reader)[0] == [n - (n % 5 == 3) for n in range(40)]


def test_hidden_reference_frames_of_vp8_are_not_counted(tmp_path):
    source = write_numbered(tmp_path / "a.webm", range(20), codec="libvpx", options={"g": "1"})
    path = tmp_path / "b.webm"
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        copied = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is None:
                continue
            hidden = av.Packet(bytes([bytes(packet)[0] & ~0x10]) + bytes(packet)[1:])
            hidden.pts = hidden.dts = packet.pts + 30
            hidden.time_base, hidden.stream, packet.stream = packet.time_base, copied, copied
            new.mux(packet)
            new.mux(hidden)
    with av.open(str(path)) as container:
        assert sum(bool(packet.size) for packet in container.demux(video=0)) == 40
    assert probe_file(path).num_frames == 20
    assert _numbers(path)[0] == list(range(20))


# A phone's clock: 33 ms a frame, some frames late, and dark seconds at half the rate.
_PHONE_STAMPS = np.cumsum([0, *([33, 34, 33, 41] * 10), *([66, 67] * 20), *([33] * 30)]).tolist()


@pytest.fixture(scope="module")
def phone_video(tmp_path_factory):
    path = tmp_path_factory.mktemp("phone") / "a.mp4"
    numbers = range(len(_PHONE_STAMPS))
    return write_numbered(path, numbers, stamps=_PHONE_STAMPS, rate=30)


@pytest.mark.parametrize("fps", [1, 2, 5])
def test_a_grid_is_even_in_time_as_that_of_ffmpegs_fps_filter(phone_video, fps):
    facts, timeline = probe_file(phone_video), read_timeline(phone_video)
    assert not facts.constant_rate
    grid = SamplingRecipe(None, fps).source_frames(facts.num_frames, facts.fps, timeline.times_s)
    expected = _ffmpegs_choice(phone_video, fps)
    assert grid.tolist() == expected[: len(grid)]
    assert len(grid) == int(np.ceil(facts.duration_s * fps))
    by_counting = SamplingRecipe(None, fps).source_frames(facts.num_frames, facts.fps)
    assert by_counting.tolist() != grid.tolist()


def _ffmpegs_choice(path, fps):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        graph = av.filter.Graph()
        source = graph.add_buffer(template=stream)
        rate = graph.add("fps", f"fps={fps}:round=up:eof_action=pass")
        sink = graph.add("buffersink")
        source.link_to(rate)
        rate.link_to(sink)
        graph.configure()
        shown = []
        for frame in [*container.decode(stream), None]:
            graph.push(frame)
            while True:
                try:
                    shown.append(number_of(graph.pull().to_ndarray(format="rgb24")))
                except (BlockingIOError, EOFError):
                    break
    return shown


@pytest.mark.parametrize("reader", ["pyav", "decord"])
def test_readers_return_the_frame_of_each_moment(phone_video, reader):
    timeline = read_timeline(phone_video)
    grid = SamplingRecipe(9, None).source_frames(
        timeline.num_frames, timeline.rate, timeline.times_s
    )
    decoded = decode_frames(phone_video, timeline, grid, reader=reader)
    assert [number_of(frame) for frame in decoded.frames] == grid.tolist()
    gaps = np.diff(timeline.times_s[grid])
    assert gaps.max() - gaps.min() < 0.15  # two of the longest times between frames


@pytest.mark.parametrize("name", ["poster.jpg", "cover.png", "list.mp4", "song.m4a"])
def test_what_is_no_video_says_what_it_is(tmp_path, name):
    path = tmp_path / name
    if path.suffix in (".jpg", ".png"):
        frame = av.VideoFrame.from_ndarray(numbered_picture(1), format="rgb24")
        frame.save(str(path))
        expected = "a still picture"
    elif path.suffix == ".m4a":
        _write_song(path)
        expected = "sound without pictures"
    else:
        write_numbered(tmp_path / "a.mp4", range(5))
        path.write_text("ffconcat version 1.0\nfile a.mp4\n")
        expected = "a playlist"
    with pytest.raises(NotAVideoError, match=expected):
        read_timeline(path)
    facts = probe_file(path)
    assert facts.status == "no_video"
    assert facts.reason.startswith(expected)


def _write_song(path):
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        for first in range(0, 16384, 1024):
            block = np.zeros((1, 1024), np.float32)
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 16000, first, Fraction(1, 16000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_a_video_of_which_nothing_can_be_decoded_is_unfit(tmp_path):
    path = write_numbered(tmp_path / "a.mkv", range(12))
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    data = path.read_bytes()
    for packet in packets:
        data = data.replace(packet[8:], bytes(len(packet) - 8))
    path.write_bytes(data)
    with pytest.raises(UnfitError, match="none of its frames can be decoded"):
        read_timeline(path)
    assert probe_file(path).status == "unreadable"


@pytest.mark.parametrize("rate", [10, 24, 25, 30, 60])
def test_a_video_of_constant_rate_is_known_as_one(tmp_path, rate):
    for name in ("a.mp4", "a.mkv"):  # the clock of mkv is rounded to milliseconds
        timeline = read_timeline(write_numbered(tmp_path / name, range(31), rate=rate))
        assert timeline.has_constant_rate()
        assert timeline.rate == rate
        assert all(late > early for early, late in pairwise(timeline.ticks.tolist()))


def test_a_container_is_closed_when_its_file_proves_to_be_no_video(tmp_path):
    path = tmp_path / "poster.jpg"
    av.VideoFrame.from_ndarray(numbered_picture(1), format="rgb24").save(str(path))
    with pytest.raises(NotAVideoError), open_video(path):
        raise AssertionError("it is a still")
