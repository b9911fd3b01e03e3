"""A file is whole or absent, whatever happens while it is written."""

import os
import signal
import subprocess
import sys
import time

import pytest

from benchmark.files.writing import (
    digest_of,
    digest_of_files,
    is_abandoned,
    replace_when_complete,
    write_json,
    write_json_if_changed,
    write_text,
)


class _HaltedError(Exception):
    pass


def test_a_file_appears_only_when_complete(tmp_path):
    path = tmp_path / "new" / "folder" / "file.txt"
    with replace_when_complete(path) as partial:
        partial.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert os.listdir(path.parent) == ["file.txt"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file.txt"
    write_text(path, "old")

    def interrupted() -> None:
        with replace_when_complete(path) as partial:
            partial.write_text("ha")
            raise _HaltedError

    with pytest.raises(_HaltedError):
        interrupted()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_a_killed_writer_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    write_text(path, "old")
    code = (
        "import sys, time; from pathlib import Path\n"
        "from benchmark.files.writing import replace_when_complete\n"
        "with replace_when_complete(Path(sys.argv[1])) as partial:\n"
        "    partial.write_text('half'); print('halfway', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "halfway\n"
        (partial,) = tmp_path.glob(".file.txt.*.partial")
        assert not is_abandoned(partial)
        writer.send_signal(signal.SIGKILL)
    assert is_abandoned(partial)
    assert path.read_text() == "old"
    write_text(path, "new")
    assert path.read_text() == "new"


def test_of_another_machine_only_age_tells_that_a_writer_is_dead(tmp_path):
    partial = tmp_path / f".file.txt.other-node.{os.getpid()}.partial"
    partial.write_text("half")
    assert not is_abandoned(partial)
    two_days_ago = time.time() - 48 * 3600
    os.utime(partial, (two_days_ago, two_days_ago))
    assert is_abandoned(partial)
    partial.unlink()
    assert not is_abandoned(partial)


def test_json_that_says_the_same_is_not_touched(tmp_path):
    path = tmp_path / "file.json"
    write_json(path, {"a": [1, 2.5, None]})
    os.utime(path, (1, 1))
    write_json_if_changed(path, {"a": [1, 2.5, None]})
    assert path.stat().st_mtime == 1
    write_json_if_changed(path, {"a": [1, 2.5, 0]})
    assert path.stat().st_mtime > time.time() - 3600
    path.write_text("{cut off")
    write_json_if_changed(path, {})
    assert path.read_text() == "{}\n"


def test_numbers_that_are_none_are_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "file.json", {"accuracy": float("nan")})
    assert not (tmp_path / "file.json").exists()


def test_digests_follow_content_alone(tmp_path):
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": "1"})
    for folder in ("one", "two"):
        write_text(tmp_path / folder / "a.py", "1")
        write_text(tmp_path / folder / "b.py", "2")
    one = [tmp_path / "one" / name for name in ("a.py", "b.py")]
    two = [tmp_path / "two" / name for name in ("b.py", "a.py")]
    assert digest_of_files(one) == digest_of_files(two)
    write_text(two[0], "1")
    write_text(two[1], "2")
    assert digest_of_files(one) != digest_of_files(two)
