"""What `verify` says of one table; test_spoilt_files.py spoils those of a whole run."""

from benchmark.errors import BenchmarkError
from benchmark.reporting.artefacts import Artefact
from benchmark.reporting.tables import document
from benchmark.verification.files import Hashes
from benchmark.verification.tables import check_artefact


def test_a_table_that_cannot_be_made_again_is_stale_with_the_cause(
    small_plan, tmp_path, monkeypatch
):
    (tmp_path / "tables.tex").write_text("")

    def make(plan, name, work):
        raise BenchmarkError("no rows", where="result.json")

    monkeypatch.setattr(document, "make", make)
    artefact = Artefact("tables", "tables.document", ("tables.tex",))
    said, num_numbers = check_artefact(small_plan(), artefact, Hashes(tmp_path))
    assert said[0] == "cannot be made again: result.json: no rows"
    assert num_numbers == 0
