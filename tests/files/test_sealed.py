"""A file that was changed, cut short or exchanged is found out when it is read."""

import json
import os

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from benchmark.errors import DamagedFileError
from benchmark.files.sealed import (
    again,
    check_file,
    file_sha256,
    is_file_with,
    part_digest,
    read_sealed,
    read_sealed_bytes,
    read_sealed_model,
    sealed_bytes,
    write_sealed,
)
from benchmark.files.sealed_tensors import load_sealed_tensors, save_sealed_tensors
from benchmark.reporting.sources import Sources

RECORD = {"rows": [0, 16, 32], "fps": 29.97, "name": "naïve", "nothing": None}


def test_a_record_comes_back_whatever_the_order_of_its_keys(tmp_path):
    path = tmp_path / "record.json"
    write_sealed(path, RECORD)
    assert read_sealed(path, "record", "") == RECORD
    turned = dict(reversed(json.loads(path.read_text()).items()))
    path.write_text(json.dumps(turned))
    assert read_sealed(path, "record", "") == RECORD


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text.replace("16", "17"), "was changed after it was written"),
        (lambda text: text.replace("29.97", "29.970000000000002"), "was changed after"),
        (lambda text: text.replace("null", "0"), "was changed after"),
        (lambda text: text[: len(text) // 2], "no readable record"),
        (lambda text: "[]", "carries no seal"),
        (lambda text: json.dumps(RECORD), "carries no seal"),
    ],
    ids=["integer", "last bit of a float", "null", "half", "other type", "no seal"],
)
def test_a_changed_record_is_an_error_with_the_fix(tmp_path, spoil, message):
    path = tmp_path / "record.json"
    write_sealed(path, RECORD)
    spoilt = spoil(path.read_text())
    assert spoilt != path.read_text()
    path.write_text(spoilt)
    with pytest.raises(DamagedFileError, match=rf"record\.json: .*{message}.*forcerun 'my frames'"):
        read_sealed(path, "record", again("my frames"))


@pytest.mark.parametrize("kind", ["missing", "a folder", "below a file"])
def test_a_record_that_is_no_file_is_an_error_with_the_fix(tmp_path, kind):
    path = tmp_path / "above" / "record.json"
    if kind == "a folder":
        path.mkdir(parents=True)
    elif kind == "below a file":
        path.parent.write_text("")
    with pytest.raises(DamagedFileError, match=r"record\.json: no .*record.*forcerun frames"):
        read_sealed(path, "record", again("frames"))


def test_a_record_of_another_type_is_an_error_with_the_fix(tmp_path):
    path = tmp_path / "record.json"
    write_sealed(path, RECORD)
    with pytest.raises(DamagedFileError, match=r"record\.json: no record of a table: .*forcerun"):
        read_sealed_model(path, Sources, "table", again("table"))


def _written_later(path):
    path.write_bytes(b"12354")
    os.utime(path, ns=(1, 1))  # a clock may be too coarse to tell two writings apart


def _longer(path):
    path.write_bytes(b"123456")
    os.utime(path, ns=(0, 0))


def _another_file(path):
    other = path.with_name("other")
    other.write_bytes(b"12354")
    os.utime(other, ns=(0, 0))
    other.replace(path)


@pytest.mark.parametrize("change", [_written_later, _longer, _another_file])
def test_a_file_is_compared_with_its_digest_each_time_it_changes(tmp_path, change):
    path = tmp_path / "rows.npy"
    path.write_bytes(b"12345")
    os.utime(path, ns=(0, 0))
    sha256 = file_sha256(path)
    assert check_file(path, sha256, record="index.json", fix="") == path
    change(path)
    with pytest.raises(DamagedFileError, match=r"not the one that index\.json names"):
        check_file(path, sha256, record="index.json", fix="")
    path.unlink()
    assert not is_file_with(path, sha256)
    with pytest.raises(DamagedFileError, match=r"the file is missing, which index\.json names"):
        check_file(path, sha256, record="index.json", fix="")


def test_a_part_has_the_same_digest_as_bytes_and_as_an_array():
    rows = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert part_digest(rows) == part_digest(rows.tobytes())
    assert part_digest(rows[:2]) != part_digest(rows[1:])


def test_sealed_bytes_come_back_and_a_changed_cut_or_renamed_file_is_an_error(tmp_path):
    path = tmp_path / "seed0.pt"
    whole = sealed_bytes("seed0.pt", b"12345")
    path.write_bytes(whole)
    assert read_sealed_bytes(path, "state", "") == b"12345"
    for content in (
        b"12354" + whole[5:],
        whole[:-1],
        whole[1:],
        b"",
        sealed_bytes("seed1.pt", b"12345"),
    ):
        path.write_bytes(content)
        with pytest.raises(DamagedFileError, match=r"seed0\.pt: the state was changed, cut off"):
            read_sealed_bytes(path, "state", "")


def test_tensors_come_back_and_other_programs_read_them(tmp_path):
    tensors = {
        "weight": torch.arange(6.0).reshape(2, 3).t(),
        "half": torch.ones(2, dtype=torch.bfloat16),
        "count": torch.tensor(7),
    }
    path = tmp_path / "stage.safetensors"
    save_sealed_tensors(path, tensors, {"log": "[]"})
    found, said = load_sealed_tensors(path, "")
    assert said == {"log": "[]"}
    assert all(torch.equal(found[name], tensor) for name, tensor in tensors.items())
    assert load_file(path).keys() == tensors.keys()


def test_changed_cut_or_exchanged_tensors_are_an_error(tmp_path):
    one, other = tmp_path / "seed0.safetensors", tmp_path / "seed1.safetensors"
    save_sealed_tensors(one, {"weight": torch.zeros(4)}, {"log": "first"})
    save_sealed_tensors(other, {"weight": torch.ones(4)})
    whole = one.read_bytes()
    flipped = bytearray(whole)
    flipped[-2] ^= 1
    edited = whole.replace(b"first", b"other")
    no_record = whole.replace(b'{\\"log', b'[\\"log')
    assert whole not in (edited, no_record)
    for content in (bytes(flipped), whole[:-4], other.read_bytes(), b"", edited, no_record):
        one.write_bytes(content)
        with pytest.raises(DamagedFileError, match=r"seed0\.safetensors: .*forcerun train"):
            load_sealed_tensors(one, again("train"))
    save_file({"weight": torch.zeros(4)}, one)
    with pytest.raises(DamagedFileError, match="not those that were written here"):
        load_sealed_tensors(one, "")
