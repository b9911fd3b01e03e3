import sys

import av
import numpy as np
import pytest
from numbered_videos import number_of, write_numbered

from benchmark.data.frames.recipe import SamplingRecipe
from benchmark.data.video_io.decoding import READERS, DecodingError, decode_frames, readers
from benchmark.data.video_io.time_stamps import read_timeline
from benchmark.errors import BenchmarkError


def _decoded(path, indices, **settings):
    return decode_frames(path, read_timeline(path), np.asarray(indices), **settings)


@pytest.fixture(params=READERS)
def reader(request):
    """Return the name of each reader that is installed; PyAV and decord always are."""
    if request.param == "torchcodec":
        pytest.importorskip("torchcodec", reason="torchcodec is not installed")
    return request.param


@pytest.mark.parametrize("size", [(48, 48), (64, 64), (72, 72), (100, 76), (34, 50), (320, 240)])
def test_frames_equal_a_full_decode_pixel_for_pixel(
    tmp_path, write_video, decoded_by_pyav, size, reader
):
    path = write_video(tmp_path / "a.mp4", num_frames=23, width=size[0], height=size[1])
    indices = np.array([0, 0, 1, 4, 5, 6, 11, 19, 22, 22])
    decoded = _decoded(path, indices, reader=reader)
    assert decoded.reader.startswith(f"{reader} ")
    assert decoded.rejected == ""
    if reader == "torchcodec":  # which converts colours in its own way
        difference = decoded.frames.astype(int) - decoded_by_pyav(path)[indices]
        assert np.abs(difference).mean() < 1
    else:
        assert np.array_equal(decoded.frames, decoded_by_pyav(path)[indices])


def test_what_decord_cannot_open_is_read_by_pyav_and_the_reason_is_kept(
    tmp_path, write_video, decoded_by_pyav
):
    if "libsvtav1" not in av.codecs_available:
        pytest.skip("this PyAV writes no AV1, which decord 0.6 cannot read")
    path = write_video(tmp_path / "a.mp4", width=64, height=64, codec="libsvtav1")
    decoded = _decoded(path, [0, 5, 11], reader="decord")
    assert decoded.reader == f"pyav {av.__version__}"
    assert decoded.rejected.startswith("decord: ")
    assert str(tmp_path) not in decoded.rejected
    assert np.array_equal(decoded.frames, decoded_by_pyav(path)[[0, 5, 11]])


def test_pyav_needs_no_other_reader(tmp_path, write_video, monkeypatch):
    monkeypatch.setitem(sys.modules, "decord", None)
    path = write_video(tmp_path / "a.mp4")
    assert _decoded(path, [0, 3, 11]).reader == f"pyav {av.__version__}"


@pytest.mark.parametrize("name", ["decord", "torchcodec"])
def test_a_reader_that_is_not_installed_is_one_clear_error(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, f"{name}.decoders", None)
    readers.cache_clear()
    try:
        with pytest.raises(BenchmarkError, match=f"the reader {name} cannot be imported") as raised:
            readers(name)
    finally:
        readers.cache_clear()
    assert f"install the package {name}" in str(raised.value)


class _DecordThatLies:
    """Returns the frames of a video as decord does where it errs."""

    def __init__(self, numbers):
        self.numbers = numbers

    def __call__(self, path, num_threads):
        import decord

        whole = decord.VideoReader(path, num_threads=num_threads)
        self.frames = [whole.next() for _ in range(len(whole))]
        self.stamps = whole.get_frame_timestamp(np.arange(len(whole)))
        self.shown = iter(self.numbers)
        return self

    def __len__(self):
        return len(self.numbers)

    def next(self):
        return self.frames[next(self.shown)]

    def get_frame_timestamp(self, indices):
        return self.stamps[indices]


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ([*range(20, 60), *[59] * 20], "its first picture is not the first of the video"),
        ([*range(30), *range(31, 60), 59], "the last picture comes twice"),
        (list(range(59)), "counts 59 frames, not 60"),
    ],
    ids=["begins at the second key frame", "loses a frame", "ends early"],
)
def test_a_reader_that_returns_shifted_frames_is_not_used(tmp_path, monkeypatch, numbers, reason):
    path = write_numbered(tmp_path / "a.mp4")
    assert _decoded(path, range(60), reader="decord").reader.startswith("decord ")
    lies = _DecordThatLies(numbers)
    decoded = None
    import decord

    real = decord.VideoReader

    def reader_of(path, num_threads):
        monkeypatch.setattr(decord, "VideoReader", real)
        return lies(path, num_threads)

    monkeypatch.setattr(decord, "VideoReader", reader_of)
    decoded = _decoded(path, range(60), reader="decord")
    assert decoded.reader.startswith("pyav ")
    assert reason in decoded.rejected
    assert [number_of(frame) for frame in decoded.frames] == list(range(60))


def test_a_damaged_video_names_each_readers_reason(tmp_path, write_video):
    path = write_video(tmp_path / "a.mp4", num_frames=60)
    data = bytearray(path.read_bytes())
    start, end = data.index(b"mdat") + 2000, data.index(b"moov") - 500
    data[start:end] = bytes(end - start)
    path.write_bytes(data)
    with pytest.raises(DecodingError, match=r"decord: .*; pyav: ") as raised:
        _decoded(path, [0, 59], reader="decord")
    assert str(tmp_path) not in str(raised.value)


def test_a_frame_that_is_missing_in_the_middle_is_an_error(tmp_path):
    source = write_numbered(tmp_path / "a.mkv", range(20), options={"g": "1"})
    path = tmp_path / "b.mkv"
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        copied = new.add_stream_from_template(old.streams.video[0])
        for number, packet in enumerate(old.demux(video=0)):
            if packet.dts is None:
                continue
            spoilt = av.Packet(bytes(packet)[:4] + bytes(packet.size - 4))
            spoilt.pts, spoilt.dts, spoilt.time_base = packet.pts, packet.dts, packet.time_base
            written = spoilt if number == 7 else packet
            written.stream = copied
            new.mux(written)
    with pytest.raises(DecodingError, match=r"pyav: "):
        _decoded(path, range(20))


def test_a_frame_beyond_the_end_is_an_error(tmp_path, write_video):
    path = write_video(tmp_path / "a.mp4", num_frames=12)
    with pytest.raises(DecodingError, match="frame 40 was asked for"):
        _decoded(path, [0, 40])


def test_a_full_memory_is_no_fault_of_the_video(tmp_path, write_video):
    def fail(frame):
        raise MemoryError

    with pytest.raises(MemoryError):
        _decoded(write_video(tmp_path / "a.mp4"), [0], prepare=fail)


@pytest.mark.clips
def test_packed_mpeg4_is_read_exactly_by_every_reader(clips_root, decoded_by_pyav):
    """The clips on which decord's own seeking returns neighbouring frames."""
    for path in sorted(clips_root.glob("ut_interaction/*/*/*.avi"))[::10]:
        whole = decoded_by_pyav(path)
        indices = np.arange(0, read_timeline(path).num_frames, 7)
        expected = whole[np.minimum(indices, len(whole) - 1)]
        for reader in ("pyav", "decord"):
            decoded = _decoded(path, indices, reader=reader)
            assert np.array_equal(decoded.frames, expected), path
            assert decoded.reader.startswith(f"{reader} "), decoded.rejected


@pytest.mark.clips
def test_every_reader_repeats_the_last_frame_of_packed_mpeg4(clips_root, decoded_by_pyav):
    path = clips_root / "ut_interaction/set1/hug/10_2_1.avi"
    expected = decoded_by_pyav(path)[[-1, -1, -1]]
    for reader in ("pyav", "decord"):
        decoded = _decoded(path, [132, 133, 134], reader=reader)
        assert np.array_equal(decoded.frames, expected)


@pytest.mark.clips
def test_the_frames_of_real_clips_stay_those_of_counting(clips_root, decoded_by_pyav):
    for path in sorted(clips_root.glob("tank_wagon/*/*/*.mp4"))[::60]:
        timeline, whole = read_timeline(path), decoded_by_pyav(path)
        assert timeline.has_constant_rate()
        grid = SamplingRecipe(16, None).source_frames(len(whole), timeline.rate)
        assert np.array_equal(_decoded(path, grid).frames, whole[grid])
