"""Text from outside is read whatever its form, or refused in one sentence."""

import os
import socket
import sys

import pytest

from benchmark.errors import BenchmarkError
from benchmark.files.text import parse_json, read_text

TEXT = "path,label\n0.mp4,Añejo\n"
BOM = "\ufeff"


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        (BOM + TEXT).encode(),
        (BOM + TEXT).encode("utf-16-le"),
        (BOM + TEXT).encode("utf-16-be"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        (BOM + TEXT.replace("\n", "\r\n")).encode("utf-16-le"),
    ],
    ids=["utf-8", "utf-8 mark", "utf-16 little", "utf-16 big", "crlf", "cr", "utf-16 crlf"],
)
def test_every_form_of_a_text_is_read_alike(tmp_path, content):
    (tmp_path / "list.csv").write_bytes(content)
    assert read_text(tmp_path / "list.csv") == TEXT


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (TEXT.encode("latin-1"), 2, "is not UTF-8: the bytes from 0xf1 on"),
        (TEXT.replace("\n", "\r").encode("latin-1"), 2, "if it is Latin-1"),
        (TEXT.encode("utf-16-le"), 2, "is not UTF-8"),
        (b"path\nlab\0el\n", 2, "null character"),
        ("path\n".encode("utf-16-le"), 1, "UTF-16 without a byte order mark"),
        ((BOM + "path\n").encode("utf-32-le"), 1, "null character"),
        ((BOM + TEXT).encode("utf-16-le")[:-1], 2, "is not UTF-16"),
        (b"\x89PNG\r\n\x1a\n\0\0", 1, "is not UTF-8"),
    ],
    ids=["latin-1", "latin-1 cr", "no mark", "null", "no mark, ascii", "utf-32", "cut", "picture"],
)
def test_what_is_no_such_text_is_one_error_with_its_line(tmp_path, content, line, message):
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(BenchmarkError) as caught:
        read_text(path)
    said = str(caught.value)
    assert said.startswith(f"{path}:{line}: ")
    assert message in said
    assert "Fix: save the file as UTF-8" in said


def test_what_is_no_file_is_said_without_waiting(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(tmp_path)  # the address of a socket may not be long
        server.bind("socket")
    cases = {
        tmp_path: "is a folder, not a file",
        tmp_path / "pipe": "is a named pipe, not a file",
        tmp_path / "link": "is a named pipe, not a file",
        tmp_path / "socket": "is a socket, not a file",
        tmp_path / "/dev/zero": "is a device, not a file",
        tmp_path / "gone": "not readable: No such file",
        tmp_path / "gone" / "below": "not readable: No such file",
        tmp_path / "loop": "not readable: ",
        tmp_path / ("x" * 300): "not readable: File name too long",
        tmp_path / "nu\0ll": "is no path",
    }
    for path, message in cases.items():
        with pytest.raises(BenchmarkError) as caught:
            read_text(path)
        assert message in str(caught.value)
        assert ascii(path.name)[1:-1] in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read_says_so(tmp_path):
    (tmp_path / "list.csv").write_text(TEXT)
    (tmp_path / "list.csv").chmod(0)
    with pytest.raises(BenchmarkError, match=r"Permission denied\. Fix: allow yourself"):
        read_text(tmp_path / "list.csv")


def test_json_names_keys_that_stand_twice_and_does_not_overflow(tmp_path):
    path = tmp_path / "a.json"
    assert parse_json('{"a": {"b": 1, "b": 2}}', path) == ({"a": {"b": 2}}, ["b"])
    deep = sys.getrecursionlimit() * 10
    for text, message in (
        ("[" * deep, "nested too deeply"),
        ("{", "is not JSON"),
        (r'["\ud800"]', "stands for half of a character"),
    ):
        with pytest.raises(BenchmarkError, match=f"a.json: .*{message}.*Fix: "):
            parse_json(text, path)
    assert parse_json(r'["\ud83d\ude00"]', path) == (["\N{GRINNING FACE}"], [])
