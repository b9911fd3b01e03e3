"""A profile with faults is refused before anything runs, all faults at once."""

import pytest
import yaml
from written_profiles import GOOD, with_setting

from benchmark.config.load import load_config, validate
from benchmark.cost.literature.frameexit import PAPER_BACKBONES
from benchmark.errors import BenchmarkError
from benchmark.files.repository import REPOSITORY


def test_the_example_holds():
    config = validate(GOOD, "here")
    assert config.frames_name("long") == "long"
    assert config.folder.as_posix() == "results/tried"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("sedes", [0], "unknown key 'sedes' (did you mean 'seeds'?)"),
        ("training.learning_rat", 1, "'training.learning_rat' (did you mean 'learning_rate'?)"),
        ("backbone.wieghts", "x", "'backbone.wieghts' (did you mean 'weights'?)"),
        (
            "datasets.long.sampling.position",
            3,
            "'datasets.long.sampling.position' (did you mean 'positions'?)",
        ),
        (
            "datasets.clips.csv.labls",
            ["a"],
            "'datasets.clips.csv.labls' (did you mean 'labels'?)",
        ),
        ("datasets.long.builtin.num_trian", 3, "(did you mean 'num_train'?)"),
        ("profile", "a b", "key 'profile': a name has at most 64 letters"),
        ("profile", "../away", "key 'profile': a name has at most 64 letters"),
        ("profile", "$(touch pwned)", "key 'profile': a name has at most 64 letters"),
        ("data_of", "a;b", "key 'data_of': a name has at most 64 letters"),
        (
            "datasets.a/b",
            GOOD["datasets"]["long"],
            "key 'datasets.a/b.[key]': a name has at most 64 letters",
        ),
        (
            "networks",
            {"`x`": GOOD["backbone"]},
            "key 'networks.`x`.[key]': a name has at most 64 letters",
        ),
        ("datasets", {}, "key 'datasets': Dictionary should have at least 1 item"),
        ("seeds", "zero", "key 'seeds': Input should be a valid tuple, found 'zero'"),
        ("seeds", [], "key 'seeds'"),
        ("seeds", [0, 1, 0], "key 'seeds': 0 stands twice, found [0, 1, 0]"),
        ("seeds", ["0", 0], "key 'seeds': 0 stands twice, found ['0', 0]"),
        ("seeds", [True], "key 'seeds': a number or a text is expected, not true or false"),
        ("runs_per_job", True, "key 'runs_per_job': a number or a text is expected, not true"),
        ("training.batch_size", True, "key 'training.batch_size': a number or a text"),
        ("training.learning_rate", True, "key 'training.learning_rate': a number or a text"),
        ("datasets.clips.sampling.fps", True, "key 'datasets.clips.sampling.fps': a number or"),
        ("datasets.clips.csv.labels", ["a", "a"], "key 'datasets.clips.csv.labels': 'a' stands"),
        ("profile", False, "key 'profile': a number or a text is expected"),
        ("training.batch_size", 1, "key 'training.batch_size': Input should be greater than 1"),
        ("training.learning_rate", "fast", "key 'training.learning_rate'"),
        ("training", None, "key 'training': Field required"),
        ("datasets.long.role", "lang", "key 'datasets.long.role': Input should be 'long', 'short'"),
        ("datasets.long.sampling.fps", 2, "give either positions or fps"),
        ("datasets.long.builtin", None, "give one of builtin, csv, activity_net"),
        ("datasets.clips.sampling", None, "give either sampling or frames_of"),
        ("datasets.clips.role", "long", "two datasets play the part 'long'. Fix: keep one of them"),
        ("datasets.clips.csv.root", "{clips_root}/a", "Fix: add --config clips_root=DIR"),
        ("backbone.weights", "file", "backbone.weights: file needs backbone.file"),
        ("backbone.weights", "pretrained", "pretrained needs backbone.pretraining"),
    ],
)
def test_a_fault_is_named(path, value, message):
    with pytest.raises(BenchmarkError) as caught:
        validate(with_setting(path, value), "profile.yaml")
    assert message in str(caught.value)
    assert str(caught.value).startswith("profile.yaml: ")


def test_shared_frames_must_exist():
    content = with_setting("datasets.clips.frames_of", "lung")
    del content["datasets"]["clips"]["sampling"]
    with pytest.raises(BenchmarkError, match=r"shares frames of unknown 'lung'.*mean 'long'"):
        validate(content, "here")


def test_all_faults_are_said_at_once():
    content = with_setting("sedes", [1])
    content["training"]["batch_size"] = "ten"
    del content["backbone"]["network"]
    with pytest.raises(BenchmarkError) as caught:
        validate(content, "profile.yaml")
    said = str(caught.value)
    assert said.startswith("3 faults in profile.yaml:\n")
    assert [key in said for key in ("sedes", "training.batch_size", "backbone.network")] == [
        True
    ] * 3


def test_a_fault_of_a_file_is_named_with_its_line(tmp_path):
    path = tmp_path / "tried.yaml"
    path.write_text(
        yaml.safe_dump(with_setting("datasets.long.sampling.position", 3), sort_keys=False)
    )
    line = 1 + path.read_text().splitlines().index("      position: 3")
    with pytest.raises(BenchmarkError, match=f"tried.yaml:{line}: unknown key"):
        load_config(path)


ROOTS = {f"{name}_root": "videos" for name in ("activitynet", "mini_kinetics", "hvu", "clips")}


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / "config").glob("*.yaml")), ids=lambda p: p.stem
)
def test_every_profile_holds_and_has_the_networks_that_it_names(path):
    config = load_config(path, ROOTS)
    assert config.profile == path.stem
    for role in config.roles:
        network = config.network(role).entry
        assert network.hub is not None or config.network(role).weights != "hub"
    if config.data_of:  # or the frames would not be those that its settings say
        other = load_config(path.with_name(f"{config.data_of}.yaml"), ROOTS)
        assert config.datasets == other.datasets
        assert config.extraction_parts == other.extraction_parts
    for dataset in config.datasets.values():
        if dataset.paper_dataset:
            papers = PAPER_BACKBONES[config.backbone.paper_group]
            size = config.backbone.entry.size
            assert (config.backbone.network, str(size)) == (
                papers.network,
                papers.size.split("x")[-1],
            )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("profile: a\nseeds: [0\ntraining: {}\n", ":3: is not YAML"),
        ("", "expected keys with values"),
        ("- profile\n", "expected keys with values"),
    ],
)
def test_a_file_that_is_no_profile_is_refused(tmp_path, text, message):
    path = tmp_path / "odd.yaml"
    path.write_text(text)
    with pytest.raises(BenchmarkError, match=f"(?s)odd.yaml.*{message}"):
        load_config(path)


def test_a_profile_is_read_with_overrides(tmp_path):
    (tmp_path / "tried.yaml").write_text(yaml.safe_dump(GOOD))
    config = load_config(tmp_path / "tried.yaml", {"results": "elsewhere"})
    assert config.folder.as_posix() == "elsewhere/tried"
    with pytest.raises(BenchmarkError, match=r"no profile 'tride' \(did you mean 'tried'\?\)"):
        load_config(tmp_path / "tride.yaml")
    with pytest.raises(BenchmarkError, match=r"unknown key 'resluts'.*mean 'results'"):
        load_config(tmp_path / "tried.yaml", {"resluts": "x"})


def test_a_profile_that_extends_another_has_its_keys(tmp_path):
    (tmp_path / "first.yaml").write_text(yaml.safe_dump(GOOD))
    own = {"extends": "first", "profile": "second", "seeds": [3]}
    (tmp_path / "second.yaml").write_text(yaml.safe_dump(own))
    first, second = (load_config(tmp_path / f"{name}.yaml") for name in ("first", "second"))
    assert second == first.model_copy(update={"profile": "second", "seeds": (3,)})
    (tmp_path / "third.yaml").write_text("extends: second\n")
    with pytest.raises(BenchmarkError, match=r"third.yaml:1: 'second' extends another.*Fix"):
        load_config(tmp_path / "third.yaml")
    (tmp_path / "fourth.yaml").write_text("extends: frist\n")
    with pytest.raises(BenchmarkError, match="did you mean 'first'"):
        load_config(tmp_path / "fourth.yaml")


def test_a_dataset_that_is_not_there_is_named_in_one_line():
    with pytest.raises(BenchmarkError) as fault:
        validate({**GOOD, "only": "lnog"}, "profile.yaml")
    assert str(fault.value) == (
        "profile.yaml: key '(top level)': only: no dataset 'lnog' (did you mean 'long'?)"
    )
