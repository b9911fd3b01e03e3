"""What Snakemake's command line loses in silence is one clear error."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmark.cli import main
from benchmark.errors import BenchmarkError
from benchmark.jobs.invocation import (
    check_config_words,
    check_folders,
    check_invocation,
    check_submitted_words,
)

SNAKEMAKE = "/usr/bin/snakemake"


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["--config", "profile=smoke", "--config", "seeds=[0]"], ["seeds=[0]"]),
        (["--config=profile=smoke", "-C", "seeds=[0]", "--", "all_tables"], ["seeds=[0]"]),
        (["-nC", "profile=smoke", "--cores", "2", "-Cseeds=[0]"], ["seeds=[0]"]),
    ],
)
def test_a_second_config_is_refused_with_the_words_of_both(words, kept):
    with pytest.raises(BenchmarkError) as caught:
        check_config_words([SNAKEMAKE, *words], kept)
    assert str(caught.value) == (
        "--config: is given 2 times, and Snakemake keeps only the last. "
        "Fix: write --config profile=smoke 'seeds=[0]'"
    )


def test_a_setting_that_is_given_twice_is_refused():
    kept = ["profile=smoke", "seeds=[0]", "profile=builtin"]
    with pytest.raises(BenchmarkError, match="--config: 'profile' is given twice"):
        check_config_words([SNAKEMAKE, "--config", *kept], kept)


def test_one_config_counts_wherever_it_stands():
    for words in (["-n", "--config", "profile=smoke", "--", "--config"], ["--config", "a=1", "-n"]):
        kept = [word for word in words if "=" in word]
        check_config_words([SNAKEMAKE, *words], kept)
        check_config_words([SNAKEMAKE], [])


def test_the_words_of_another_program_are_none_of_snakemakes():
    words = ["--config", "a=1", "--config", "b=2"]
    check_config_words(["/usr/bin/pytest", *words], ["b=2"])
    check_config_words([SNAKEMAKE, *words], ["c=3"])  # called in-process with other words


def test_settings_of_snakemakes_own_profile_are_not_dropped_in_silence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine").mkdir()
    Path("mine/config.yaml").write_text("config: [profile=smoke]\ncores: 1\n")
    words = [SNAKEMAKE, "--profile", "mine", "--config", "seeds=[0]"]
    with pytest.raises(BenchmarkError, match=r"profile=smoke, which --config replaces.*Fix: write"):
        check_config_words(words, ["seeds=[0]"])
    kept = ["seeds=[0]", "profile=builtin"]
    check_config_words([*words[:-1], *kept], kept)


def test_the_plan_reads_every_config(capsys):
    assert main(["plan", "--config", "only=nowhere", "--config", "profile=smoke"]) == 1
    assert "only: no dataset 'nowhere'" in capsys.readouterr().err
    assert main(["plan", "--config", "profile=smoke", "profile=paper"]) == 1
    assert "'profile' is given twice" in capsys.readouterr().err


def test_a_folder_with_a_word_in_braces_is_refused_and_a_lone_brace_is_not():
    with pytest.raises(BenchmarkError, match=r"/a/\{b\}: Snakemake takes '\{b\}' in this name"):
        check_folders(["/a/{b}", "/c"])
    check_folders(["/a b/{c", "/d}"])


@pytest.mark.parametrize("word", ["results=$(touch x)", "results=`x`", 'a="b', "/a\\b"])
def test_what_a_clusters_shell_would_run_is_refused(word):
    with pytest.raises(BenchmarkError, match="hand to a shell that would act on it"):
        check_submitted_words(["/home/a b'c;d", word])
    check_submitted_words(["/home/a b'c;d", "seeds=[0, 1]"])


@pytest.mark.parametrize(
    ("repository", "argv", "settings", "message"),
    [
        ("/a/{b}", [], {}, r"takes '\{b\}' in this name for a wildcard"),
        ("/a", ["--config", "x=1", "--config", "y=2"], {}, "--config: is given 2 times"),
        ("/a", [], {"cores": 0}, "--cores: no job can run on 0 cores"),
        ("/a$b", [], {"local_exec": False}, "hand to a shell that would act on it"),
        ("/a", [], {"words": ["y=`b`"], "local_exec": False}, "hand to a shell that would act"),
    ],
    ids=["folder", "settings", "cores", "folder on a cluster", "setting on a cluster"],
)
def test_all_that_a_run_is_called_with_is_checked_and_of_its_jobs_nothing(
    monkeypatch, repository, argv, settings, message
):
    """Snakemake's own object is replaced by one with the few attributes that are read."""
    monkeypatch.setattr(sys, "argv", [SNAKEMAKE, *argv])
    workflow = SimpleNamespace(
        is_main_process=True,
        local_exec=settings.get("local_exec", True),
        config_settings=SimpleNamespace(config_args=settings.get("words", ["y=2"])),
        resource_settings=SimpleNamespace(cores=settings.get("cores", 2)),
    )
    with pytest.raises(BenchmarkError, match=message):
        check_invocation(workflow, Path(repository))
    workflow.is_main_process = False
    check_invocation(workflow, Path(repository))
