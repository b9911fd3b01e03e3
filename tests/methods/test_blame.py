"""The machine's faults end a job; those of a method's own code become its row."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmark.errors import BenchmarkError, DamagedFileError, MachineError
from benchmark.files.writing import write_text
from benchmark.methods.blame import fault_of_method, is_of_method
from benchmark.progress import JobFailedError, JobLog


def _raised(fault):
    try:
        raise fault
    except Exception as raised:
        return raised


@pytest.mark.parametrize(
    "fault",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EROFS, "Read-only file system"),
        OSError(errno.EMFILE, "Too many open files"),
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:118] can't allocate memory"),
        RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed"),
        DamagedFileError("is not as it was made", where="shard"),
        MachineError("it ended with exit code -9"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_the_machines_faults_are_raised_again_whatever_code_met_them(fault, tmp_path):
    with pytest.raises(type(fault)) as raised:
        fault_of_method(_raised(fault), [tmp_path])
    assert raised.value is fault


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (RuntimeError("shapes cannot be multiplied"), "RuntimeError: shapes cannot be multiplied"),
        (BenchmarkError("does not import", where="method.py"), "method.py: does not import"),
    ],
)
def test_an_error_of_the_code_is_the_methods(fault, says, tmp_path):
    assert fault_of_method(_raised(fault), [tmp_path]) == says


def test_memory_that_pytorch_cannot_have_is_the_machines_fault(tmp_path):
    with pytest.raises(RuntimeError) as raised:
        torch.empty(2**58)
    assert not is_of_method(raised.value, [tmp_path])


def test_a_file_that_a_method_opens_itself_and_is_not_there_is_its_own_fault(tmp_path):
    code = tmp_path / "method.py"
    code.write_text("def work():\n    open('no such file')\n")
    scope = {}
    exec(compile(code.read_text(), str(code), "exec"), scope)
    with pytest.raises(FileNotFoundError) as raised:
        scope["work"]()
    assert is_of_method(raised.value, [tmp_path])
    assert not is_of_method(raised.value, [])


def test_a_file_that_the_harness_cannot_write_for_a_method_is_no_fault_of_it(tmp_path):
    (tmp_path / "file").write_text("")
    code = tmp_path / "method.py"
    code.write_text("def work(write):\n    write()\n")
    scope = {}
    exec(compile(code.read_text(), str(code), "exec"), scope)
    with pytest.raises(OSError, match="file") as raised:
        scope["work"](lambda: write_text(tmp_path / "file" / "inside", "text"))
    assert not is_of_method(raised.value, [tmp_path])


def test_an_error_that_was_explained_keeps_its_cause(tmp_path):
    explained = BenchmarkError("cannot be read")
    explained.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert not is_of_method(_raised(explained), [tmp_path])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no file here is always full")
def test_a_job_that_cannot_log_its_end_says_why_it_failed(capsys):
    log = JobLog("features backbone", Path("/dev/full"))
    with pytest.raises(JobFailedError), log.explaining():
        pass
    cause = "OSError: [Errno 28] No space left on device"
    assert capsys.readouterr().err == f"error: features backbone: {cause}\n"


def test_a_log_that_cannot_be_written_is_said_in_one_line(tmp_path):
    (tmp_path / "logs").write_text("no folder")
    command = [sys.executable, "-m", "benchmark", "job", "outcome", "--config", "none.json"]
    command += ["--log", str(tmp_path / "logs" / "outcome.log")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {tmp_path / 'logs' / 'outcome.log'}: the log cannot be written")
