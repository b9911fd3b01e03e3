"""YAML that repeats keys, explodes or never ends is one error with its line."""

import os

import pytest

from benchmark.config.load import load_config, overrides_of
from benchmark.errors import BenchmarkError
from benchmark.files.yaml import parse_yaml, place_of, read_mapping
from benchmark.methods.manifest import read_method_manifest

_LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)
FAULTS = {
    "a doubled key": ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' stands twice, first in line 1"),
    "a doubled key below": ("a:\n  b: {c: 1, c: 2}\n", 2, "the key 'c' stands twice"),
    "an open brace": ("a: {b: 1\nc: 2\n", 2, "is not YAML"),
    "a closed brace too many": ("a: 1\nb: }\n", 2, "is not YAML"),
    "a tab": ("a:\n\tb: 1\n", 2, "is not YAML"),
    "deep nesting": ("a:\n  " + "[" * 100_000, 2, "nested more than 50 levels deep"),
    "half of a character": ('a: 1\nb: "\\ud800"\n', 2, "holds half of a character"),
    "aliases that explode": (_LAUGHS, 5, "more than 100,000 values"),
    "merges that explode": (
        _LAUGHS.replace("[x, x, x, x, x, x, x, x, x, x]", "[{k: 1}]"),
        6,
        "ali",
    ),
    "an alias to what is around it": ("a: &a\n  - b: *a\n", 1, "contains itself"),
    "an alias to nothing": ("a: *b\n", 1, "undefined alias"),
    "two documents": ("a: 1\n---\nb: 2\n", 2, "is not YAML: expected a single document"),
    "a list": ("- a: 1\n", None, "holds a list, expected keys with values"),
    "words": ("just words\n", None, "holds a text, expected keys with values"),
    "nothing": ("# a comment\n", None, "is empty, expected keys with values"),
    "a number as key": ("1: a\n", None, "the key 1 is a number"),
    "a list as key": ("a: 1\n? [b]\n: 2\n", 2, "unhashable"),
    "an object of Python": ("a: 1\nb: !!python/object:os.system {}\n", 2, "could not determine"),
    "a date that is none": ("a: 1\nb: 2001-99-99\n", 2, "'2001-99-99' is no timestamp"),
    "a number that is none": ("a: !!int ''\n", 1, "'' is no int"),
    "a truth that is none": ("a: !!bool perhaps\n", 1, "'perhaps' is no bool"),
    "a bell": ("a: \x07\n", None, "is not YAML: unacceptable character"),
}


@pytest.mark.parametrize(("text", "line", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_a_yaml_file_is_one_error_with_its_line(tmp_path, text, line, message):
    path = tmp_path / "profile.yaml"
    path.write_text(text)
    with pytest.raises(BenchmarkError) as caught:
        read_mapping(path)
    said = str(caught.value)
    assert said.startswith(f"{path}:{line}: " if line else f"{path}: ")
    assert message in said
    assert "\n" not in said


@pytest.mark.parametrize(("text", "message"), [(t, m) for t, _, m in FAULTS.values()], ids=FAULTS)
def test_profiles_and_manifests_are_read_by_the_same_reader(tmp_path, text, message):
    path = tmp_path / "mine" / "method.yaml"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(BenchmarkError) as caught:
        load_config(path)
    assert message in str(caught.value)
    manifest, (fault,) = read_method_manifest(path)
    assert manifest is None
    assert str(fault) == str(caught.value)


@pytest.mark.parametrize("name", ["pipe", "folder", "latin1"])
def test_what_is_no_text_is_refused_as_profile_and_as_manifest(tmp_path, name):

    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin1").write_bytes("profile: Größe\n".encode("latin-1"))
    messages = {"pipe": "is a named pipe", "folder": "is a folder", "latin1": "is not UTF-8"}
    with pytest.raises(BenchmarkError, match=messages[name]):
        load_config(tmp_path / name)
    assert messages[name] in str(read_method_manifest(tmp_path / name)[1][0])


def test_all_doubled_keys_of_a_file_are_named_at_once(tmp_path):
    path = tmp_path / "profile.yaml"
    path.write_text("a: 1\na: 2\nb: {c: 1, d: 2, c: 3}\na: 4\n")
    with pytest.raises(BenchmarkError) as caught:
        read_mapping(path)
    said = str(caught.value)
    assert said.startswith("3 faults in ")
    assert all(f"profile.yaml:{line}: the key" in said for line in (2, 3, 4))


def test_merges_and_aliases_of_usual_size_are_read(tmp_path):
    path = tmp_path / "profile.yaml"
    path.write_text("base: &base {a: 1, b: 2}\nown: {<<: *base, b: 3}\nsame: *base\n")
    content = read_mapping(path)
    assert content["own"] == {"a": 1, "b": 3}
    assert content["same"] == {"a": 1, "b": 2}
    assert place_of(path, ["own", "b"]) == f"{path}:2"


def test_a_word_of_the_command_line_is_read_by_the_same_reader():
    assert overrides_of(["seeds=[0, 1]", "only="]) == {"seeds": [0, 1], "only": ""}
    assert parse_yaml("", "here") is None
    for word in ("a={", "a=" + "[" * 1000, "a={b: 1, b: 2}"):
        with pytest.raises(BenchmarkError, match=r"^--config a: "):
            overrides_of([word])


@pytest.mark.parametrize(
    ("extends", "message"),
    [
        ("../x", "'../x' is no name of a profile"),
        ("/etc/x", "'/etc/x' is no name"),
        ("[a]", r"['a'] is no name"),
        ("", "None is no name"),
        ("tried", "the profile extends itself"),
        ("second", "'second' extends another profile itself"),
        ("s_second", "no profile 's_second' (did you mean 'second'?)"),
    ],
)
def test_a_profile_extends_one_other_of_its_folder(tmp_path, extends, message):
    (tmp_path / "second.yaml").write_text("extends: tried\n")
    path = tmp_path / "tried.yaml"
    path.write_text(f"profile: tried\nextends: {extends}\n")
    with pytest.raises(BenchmarkError) as caught:
        load_config(path)
    assert message in str(caught.value)
    if "s_second" not in message:
        assert str(caught.value).startswith(f"{path}:2: ")
