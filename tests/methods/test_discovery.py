"""Methods are found by their folders; what is wrong with any is said for all, at once."""

import ast
import re

import pytest

from benchmark.errors import BenchmarkError
from benchmark.experiment.layout import method_files
from benchmark.files.repository import REPOSITORY
from benchmark.files.writing import digest_of_files
from benchmark.methods.discovery import discover
from benchmark.methods.loading import load_method, make_params

GOOD = """\
name: {name}
label: A method
kind: method
summary: Does nothing.
licence: Apache-2.0
variants:
  default: {{label: plain}}
"""


def test_every_folder_holds_the_same_files(methods):
    folders = {
        p.name for p in (REPOSITORY / "methods").iterdir() if not p.name.startswith(("_", "."))
    }
    assert folders == set(methods)
    for folder in methods.values():
        for name in ("method.yaml", "method.py", "README.md"):
            assert (folder.folder / name).is_file(), f"{folder.name} has no {name}"


def test_every_variant_of_every_method_has_valid_parameters(methods):
    for folder in methods.values():
        kind = load_method(folder)
        for name, variant in folder.manifest.variants.items():
            for on in ({}, *folder.manifest.params_on.values()):
                made = make_params(kind, {**on, **variant.params}, f"{folder.name}/{name}")
                assert isinstance(made, kind.Params)


def test_only_methods_import_methods():
    wrong = [
        f"{path.relative_to(REPOSITORY)}: {module}"
        for folder in ("benchmark", "workflow")
        for path in sorted((REPOSITORY / folder).rglob("*.py"))
        for module in _imported(path)
        if module.split(".")[0] == "methods"
    ]
    assert wrong == []
    assert "methods.frameexit.gates" in _imported(
        REPOSITORY / "methods" / "frameexit" / "method.py"
    )


def test_methods_import_no_method_that_they_do_not_declare(methods):
    for folder in methods.values():
        allowed = {folder.name, folder.manifest.extends}
        for path in folder.code():
            used = {m.split(".")[1] for m in _imported(path) if m.startswith("methods.")}
            assert used <= allowed, f"{path} imports a method that method.yaml does not extend"


def _imported(path):
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.append(node.module or "")
    return found


@pytest.mark.parametrize(
    ("change", "line", "message"),
    [
        (("kind: method", "kind: methd"), 3, "key 'kind': Input should be 'method', 'baseline'"),
        (("summary:", "sumary:"), 4, "unknown key 'sumary' (did you mean 'summary'?)"),
        (("label: plain", "label: plain, parms: {}"), 7, "'variants.default.parms' (did you mean"),
        (("licence:", "source: {method: other, varaint: x}\nlicence:"), 5, "mean 'variant'?)"),
        (("licence:", "paper: {title: a, year: 1, links: b}\nlicence:"), 5, "mean 'link'?)"),
        (("licence:", "params_on: {lung: {beta: 1}}\nlicence:"), 5, "Input should be 'long'"),
        (
            ("licence:", "expected_failed_checks: {no_lable_leak: a bound}\nlicence:"),
            5,
            "unknown check 'no_lable_leak' (did you mean 'no_label_leak'?)",
        ),
        (("licence:", "expected_failed_checks: {fit: ''}\nlicence:"), 5, "at least 1 character"),
        (
            ("licence:", "trade_off: {param: beta, cheep: 1, expensive: 2}\nlicence:"),
            5,
            "unknown key 'trade_off.cheep' (did you mean 'cheap'?)",
        ),
        (("  default: {label: plain}\n", ""), 6, "key 'variants': Input should be a valid dict"),
        (("  default:", "  '$(touch x)':"), 7, "a name has at most 64 letters"),
        (("variants:", "variants: ["), None, "is not YAML"),
    ],
)
def test_a_fault_of_a_manifest_is_named_with_its_line(write_method, change, line, message):
    root = write_method("mine", GOOD.format(name="mine").replace(*change))
    with pytest.raises(BenchmarkError) as caught:
        discover([root])
    assert message in str(caught.value)
    where = f"{root}/mine/method.yaml" + (f":{line}: " if line else "")
    assert where in str(caught.value)


@pytest.mark.parametrize("text", ["", "- a\n", "just words\n"])
def test_a_manifest_without_keys_is_named(write_method, text):
    root = write_method("mine", text)
    with pytest.raises(BenchmarkError, match=r"mine/method.yaml: .*expected keys with values"):
        discover([root])


def test_all_faults_of_all_manifests_are_said_at_once(write_method):
    write_method("one", GOOD.format(name="one") + "extends: too\n")
    write_method("two", GOOD.format(name="three"))
    write_method("four", GOOD.format(name="four").replace("label: A", "lable: A"))
    root = write_method("five", GOOD.format(name="five") + "source: {method: two, variant: big}\n")
    (root / "five" / "method.py").unlink()
    with pytest.raises(BenchmarkError) as caught:
        discover([root, root / "nowhere"])
    said = str(caught.value)
    for fault in (
        "extends: no method 'too' (did you mean 'two'?)",
        "name 'three' is not the folder's. Fix: make them equal",
        "unknown key 'lable' (did you mean 'label'?)",
        "key 'label': Field required",
        "source.variant: no variant 'big' (known: default)",
        "has no method.py beside it",
        f"{root / 'nowhere'}: no such folder of methods",
    ):
        assert fault in said
    assert said.startswith("7 faults in ")


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("extends: one", "", "extends: no method 'one'"),
        ("source: {method: one}", "", "source.method: no method 'one'"),
        ("source: {method: tow}", "", r"source.method: no method 'tow' \(did you mean 'two'"),
        ("extends: two", "extends: one", "extends: 'one' builds on itself, in a circle"),
        ("source: {method: two}", "source: {method: one}", "source.method: '(one|two)' is itself"),
    ],
)
def test_a_reference_that_leads_nowhere_is_named(write_method, first, second, message):
    write_method("one", f"{GOOD.format(name='one')}{first}\n")
    root = write_method("two", f"{GOOD.format(name='two')}{second}\n")
    with pytest.raises(BenchmarkError, match=f"(one|two)/method.yaml: {message}"):
        discover([root])


def test_a_name_that_exists_twice_is_refused(write_method):
    root = write_method("frameexit", GOOD.format(name="frameexit"))
    with pytest.raises(BenchmarkError, match=r"method 'frameexit' exists twice, also in .*rename"):
        discover([REPOSITORY / "methods", root])


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import unheard_of", "does not import: ModuleNotFoundError"),
        ("def (", "does not import: SyntaxError"),
        ("class Methods: ...", "has no class 'Method' with 'Params'"),
        ("class Method: ...", "has no class 'Method' with 'Params'"),
    ],
)
def test_code_that_is_no_method_is_explained(write_method, code, message, request):
    name = "bad_" + re.sub(r"\W", "_", request.node.callspec.id)
    folder = discover([write_method(name, GOOD.format(name=name), code)])[name]
    with pytest.raises(BenchmarkError, match=f"{name}/method.py: {message}"):
        load_method(folder)


def test_wrong_parameters_are_all_named(methods):
    kind = load_method(methods["frameexit"])
    with pytest.raises(BenchmarkError) as caught:
        make_params(kind, {"bata": 1, "pooling": "sum", "num_steps": "ten"}, "method.yaml: x")
    said = str(caught.value)
    assert "unknown parameter 'bata' (did you mean 'beta'?)" in said
    assert "parameter 'pooling': Input should be 'max', 'average'" in said
    assert "parameter 'num_steps': Input should be a valid integer" in said
    assert said.count("method.yaml: x") == 4  # the summary and each fault
    with pytest.raises(BenchmarkError, match="parameter 'num_steps': true and false stand for no"):
        make_params(kind, {"num_steps": True}, "method.yaml: x")


def test_every_file_that_may_change_results_is_a_dependency_of_its_method_alone(write_method):
    for name in ("one", "two"):
        root = write_method(name, GOOD.format(name=name))
    beside = ["classes.json", "weights/first.bin", "notes.txt", "priors.csv"]
    without_effect = ["README.md", "README.de.md", ".cache/x.json", "__pycache__/method.pyc"]
    for path in (root / "one" / name for name in beside + without_effect):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"1")
    found = discover([root])
    own = {str(path.relative_to(root / "one")) for path in method_files(found, "one")}
    assert own == {"method.py", *beside}
    before = {name: digest_of_files(method_files(found, name)) for name in found}
    for name in without_effect:
        (root / "one" / name).write_bytes(b"2")
    assert {name: digest_of_files(method_files(found, name)) for name in found} == before
    (root / "one" / "classes.json").write_bytes(b"2")
    after = {name: digest_of_files(method_files(found, name)) for name in found}
    assert [name for name in found if after[name] != before[name]] == ["one"]
