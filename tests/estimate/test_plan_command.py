"""`python -m benchmark plan` before anything was run: sums, units, and messages."""

import json

import pytest

from benchmark.cli import main
from benchmark.estimate import rates as rates_module
from benchmark.estimate.document import _number, _sized
from benchmark.estimate.ranges import Range, exactly


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(rates_module, "_SECONDS", 0.02)


def test_a_profile_without_manifests_is_planned(tmp_path, capsys):
    given = ["--config", "profile=smoke", "only=multi", f"results={tmp_path / 'results'}"]
    written = tmp_path / "plan.json"
    assert main(["plan", *given, "--gmacs-per-second", "20-40", "--json", str(written)]) == 0
    said, plan = capsys.readouterr().out, json.loads(written.read_text())
    assert [p.name for p in (tmp_path / "results" / "smoke").iterdir()] == ["calibration.json"]
    assert "Plan of profile 'smoke': nothing has been run." in said
    assert plan["videos"]["multi"]["num_train"] == [20, 20]
    lines = plan["lines"]
    stages = ["manifest", "frames", "training", "predictions", "evaluation"]
    assert list(dict.fromkeys(line["stage"] for line in lines)) == stages
    for line in lines:
        low, high = line["macs"]
        assert line["device_hours"] == pytest.approx([low / 40e9 / 3600, high / 20e9 / 3600])
        assert line["inputs"]
    (frames,) = (line for line in lines if line["stage"] == "frames")
    assert frames["disk_bytes"] == [44 * 16 * 64 * 64 * 3] * 2
    training = [line for line in lines if line["stage"] == "training"]
    kept = [line for line in training if line["what"] == "frameexit features kept"]
    for line in training:
        given = line["inputs"]
        work, times = given.get("MACs a video"), given["trainings"] * given.get("epochs", 1)
        if line not in kept:
            work = 3 * given["forward MACs with gradients"] + given["forward MACs without"]
        assert line["macs"] == pytest.approx([times * work * v for v in given["videos"]])
    assert [line["inputs"]["videos"] for line in kept] == [[44, 44]]
    assert kept[0]["passing_bytes"] == [44 * 10 * 32 * 4] * 2
    controls = [line for line in lines if "(rows of frameexit" in line["what"]]
    assert controls
    assert all(line["macs"] == [0, 0] and line["disk_bytes"][0] > 0 for line in controls)
    # Each method is a line of the table, with the stage before it and the sums after.
    for name in ("frameexit classifiers", "frameexit gates (4 times)", "uniform_k", "in all"):
        assert name in said
    for reason in plan["uncertain"]:
        assert f"  - {reason}" in said


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["profile=smok"], "no profile 'smok' (did you mean 'smoke'?)"),
        (["profile=smoke", "sedes=[1]"], "unknown key 'sedes' (did you mean 'seeds'?)"),
        (["profile=smoke", "only=lnog"], "no dataset 'lnog' (did you mean 'long'?)"),
        (["profile"], "'profile' is no setting"),
        (["profile=smoke", "seeds=[1"], "--config seeds: is not YAML"),
    ],
)
def test_a_misspelt_setting_is_explained(given, message, capsys):
    assert main(["plan", "--config", *given]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("text", ["fast", "0", "30-20", "1-2-3"])
def test_a_speed_that_is_none_is_bad_usage(text, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["plan", "--gmacs-per-second", text])
    assert stopped.value.code == 2
    assert f"'{text}' is neither a number nor two" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (exactly(0), "-"),
        (exactly(3.9e9), "3.9 GB"),
        (Range(5e8, 1.51e12), "0.0005 to 1.51 TB"),
        (Range(2e15, 2.0001e15), "2 PB"),
    ],
)
def test_sizes_are_readable(value, shown):
    assert _sized(value, "B") == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(Range(0, 1e-4), "-"), (Range(0.5, 431.4), "0.5 to 431"), (exactly(55_753.2), "55,753")],
)
def test_hours_are_readable(value, shown):
    assert _number(value) == shown
