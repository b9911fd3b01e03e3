"""Decoded sound is the sound that was written, and it is where the pictures are."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from benchmark.data.builtin.generate import generate
from benchmark.data.builtin.sets import get_set
from benchmark.data.builtin.sound import TONES_HZ
from benchmark.data.builtin.truth import load_truth
from benchmark.data.sound.decoding import NO_TRACK, RATE_HZ, Sound, decode_sound
from benchmark.data.video_io.time_stamps import read_timeline

FPS = 10
FLAC_PACKET = 1152  # samples


def heard(path: Path, duration_s: float) -> Sound:
    """Decode the sound of a video from its first frame on."""
    return decode_sound(path, duration_s, read_timeline(path).start_s)


def _noise(seconds, channels=1, rate=RATE_HZ):
    draw = np.random.default_rng(0)
    return draw.integers(-9000, 9000, (round(seconds * rate), channels), dtype=np.int16)


@pytest.fixture
def write(tmp_path):
    """Return a function that writes two seconds of pictures with some pieces of sound.

    A piece is `(second at which it begins, [N, channels] int16)`.
    """

    def make(pieces, *, codec="pcm_s16le", rate=RATE_HZ, name="a.mkv", picture_start=0.0, junk=()):
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            pictures = container.add_stream("libx264", rate=FPS, options={"bf": "2"})
            pictures.width = pictures.height = 48
            layout = "stereo" if pieces[0][1].shape[1] == 2 else "mono"
            voice = container.add_stream(codec, rate=rate, layout=layout)
            for number in range(2 * FPS):
                frame = av.VideoFrame.from_ndarray(np.full((48, 48, 3), number, np.uint8), "rgb24")
                frame.pts = number + round(picture_start * FPS)
                frame.time_base = Fraction(1, FPS)
                container.mux(pictures.encode(frame))
            container.mux(pictures.encode(None))
            packets = []
            for start, samples in pieces:
                for first in range(0, len(samples), 1024):
                    block = samples[first : first + 1024]
                    frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), "s16", layout)
                    frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
                    frame.pts = round(start * rate) + first
                    packets += voice.encode(frame)
            for number, packet in enumerate([*packets, *voice.encode(None)]):
                container.mux(_spoiled(packet) if number in junk else packet)
        return path

    return make


def _spoiled(packet):
    other = av.Packet(b"\xff" * packet.size)
    other.stream, other.time_base = packet.stream, packet.time_base
    other.pts, other.dts, other.duration = packet.pts, packet.dts, packet.duration
    return other


def test_sound_without_loss_is_the_samples_themselves(write):
    samples = _noise(2)
    sound = heard(write([(0, samples)]), 2)
    assert sound.samples.dtype == np.int16
    assert (sound.samples == samples[:, 0]).all()
    assert sound.fault == ""


@pytest.mark.parametrize(("seconds", "kept"), [(3.1, 2.0), (1.3, 1.3)])
def test_it_is_as_long_as_the_pictures(write, seconds, kept):
    samples, kept = _noise(seconds), round(kept * RATE_HZ)
    sound = heard(write([(0, samples)]), 2).samples
    assert len(sound) == 2 * RATE_HZ
    assert (sound[:kept] == samples[:kept, 0]).all()
    assert not sound[kept:].any()


@pytest.mark.parametrize("rate", [44_100, 48_000, 8_000])
def test_other_rates_and_channels_are_converted_in_place(write, rate):
    seconds = np.arange(2 * rate) / rate
    tone = 9000 * np.sin(2 * np.pi * 440 * seconds)
    stereo = np.stack([tone, tone], axis=1).astype(np.int16)
    sound = heard(write([(0, stereo)], rate=rate), 2).samples
    expected = 9000 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE_HZ) / RATE_HZ)
    middle = slice(400, -400)  # the resampler's filter is at a loss at the ends
    assert np.abs(sound[middle] - expected[middle]).max() < 60  # a shift of one sample makes 1,500


def test_what_begins_late_or_has_a_hole_stays_where_it_was(write):
    one, two = _noise(0.512), _noise(0.64)[::-1].copy()
    sound = heard(write([(0.25, one), (1.25, two)]), 2).samples
    expected = np.zeros(2 * RATE_HZ, dtype=np.int16)
    expected[4000 : 4000 + len(one)] = one[:, 0]
    expected[20000 : 20000 + len(two)] = two[:, 0]
    assert (sound == expected).all()


def test_time_begins_with_the_first_picture(write):
    samples = _noise(2)
    sound = heard(write([(0, samples)], picture_start=0.5), 2).samples
    assert (sound[: 3 * RATE_HZ // 2] == samples[RATE_HZ // 2 :, 0]).all()


def test_a_video_without_a_track_is_silent(write_video, tmp_path):
    sound = heard(write_video(tmp_path / "mute.mp4"), 1.2)
    assert (len(sound.samples), sound.fault) == (0, NO_TRACK)


def test_damaged_packets_leave_holes_and_are_counted(write):
    tone = 9000 * np.sin(2 * np.pi * 500 * np.arange(2 * RATE_HZ) / RATE_HZ)
    pieces = [(0, tone.astype(np.int16)[:, None])]
    whole = heard(write(pieces, codec="flac"), 2).samples
    path = write(pieces, codec="flac", name="damaged.mkv", junk=(8, 9, 20))
    sound = heard(path, 2)
    assert sound.fault == "3 packets of sound could not be decoded"
    spoiled = np.abs(sound.samples.astype(int) - whole) > 0
    assert set((spoiled.nonzero()[0] // FLAC_PACKET).tolist()) == {8, 9, 20}
    assert not sound.samples[8 * FLAC_PACKET : 10 * FLAC_PACKET].any()
    path = write(pieces, codec="flac", name="junk.mkv", junk=range(99))
    sound = heard(path, 2)
    assert len(sound.samples) == 0
    assert sound.fault.startswith("no sound could be decoded: Invalid data")


@pytest.fixture(scope="module")
def builtin(tmp_path_factory):
    """Generate built-in videos; return the frame rate, and (path, truth) of those with a tone."""
    folder = tmp_path_factory.mktemp("builtin")
    generate("short", folder, num_train=8, num_val=0, seed=1)
    truths = load_truth(folder / "truth.jsonl")
    pairs = [(path, truths[path.stem]) for path in sorted(folder.rglob("*.mp4"))]
    return get_set("short").fps, [(path, truth) for path, truth in pairs if truth.sounding]


def test_built_in_tones_ring_while_their_glyph_is_visible(builtin):
    fps, ringing = builtin
    assert len(ringing) > 3
    for path, truth in ringing:
        sound = heard(path, truth.num_frames / fps).samples / 32768
        assert len(sound) == truth.num_frames * RATE_HZ // fps
        times = np.arange(len(sound)) / RATE_HZ
        turns = np.exp(-2j * np.pi * TONES_HZ[truth.sounding.split("_")[1]] * times)
        # Over a packet, which is a whole number of turns; its middle is the moment.
        window = np.convolve(sound * turns, np.ones(1024) / 1024, mode="same")
        moments = ((np.arange(truth.num_frames) + 0.5) * RATE_HZ / fps).astype(int)
        rings = np.abs(window[moments]) > 0.05
        shown = np.zeros(truth.num_frames, dtype=bool)
        for start, stop in truth.intervals[truth.sounding]:
            shown[start:stop] = True
        near = np.convolve(shown, np.ones(3), mode="same")
        assert rings[near == 3].all()  # one picture off at most, at either end
        assert not rings[near == 0].any()
        assert shown.sum() - 2 <= rings.sum() <= shown.sum() + 2
        # The sine that was written, up to the loss of 8 kbit/s: 0.2 of a turn's radians at 750 Hz
        # are less than a sample.
        inside = window[moments][near == 3]
        assert np.abs(np.angle(inside * 1j)).max() < 0.2
        assert np.abs(2 * np.abs(inside) - 0.2).max() < 0.06


def test_the_same_file_gives_the_same_samples(builtin):
    _, ((path, _), *_) = builtin
    first, second = (heard(path, 10).samples for _ in range(2))
    assert (first == second).all()
