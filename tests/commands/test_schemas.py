"""The committed JSON schemas are those of the types, and what the repository holds follows them."""

import jsonschema
import pytest
import yaml

from benchmark.cli import main
from benchmark.commands.schemas import FOLDER, schema_texts
from benchmark.config.profile import Config
from benchmark.files.repository import REPOSITORY

FILES = [*REPOSITORY.glob("config/*.yaml"), *REPOSITORY.glob("methods/*/method.yaml")]


def test_schemas_are_up_to_date():
    for name, text in schema_texts().items():
        written = (FOLDER / name).read_text(encoding="utf-8")
        assert written == text, "run: python -m benchmark schemas"
    assert {path.name for path in FOLDER.glob("*.json")} == set(schema_texts())


def test_the_command_writes_them(tmp_path, capsys):
    assert main(["schemas", "--folder", str(tmp_path)]) == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == schema_texts()
    assert str(tmp_path / "result.schema.json") in capsys.readouterr().out


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_repositorys_own_files_follow_them(path):
    kind = "method" if path.name == "method.yaml" else "config"
    schema = yaml.safe_load((FOLDER / f"{kind}.schema.json").read_text(encoding="utf-8"))
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    jsonschema.validate(content, schema)
    with pytest.raises(jsonschema.ValidationError, match="unheard_of"):
        jsonschema.validate({**content, "unheard_of": 1}, schema)


def test_every_setting_says_its_type():
    schema = Config.model_json_schema()
    assert set(schema["required"]) >= {"profile", "seeds", "datasets", "backbone", "training"}
    assert schema["additionalProperties"] is False
