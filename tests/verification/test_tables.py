"""What `verify` says of one table; test_spoilt_files.py spoils those of a whole run."""

from benchmark.errors import BenchmarkError
from benchmark.verification.files import Hashes
from benchmark.verification.tables import Shown, check_shown


def test_a_table_that_cannot_be_made_again_is_stale_with_the_cause(tmp_path):
    (tmp_path / "tables.tex").write_text("")

    def texts():
        raise BenchmarkError("no rows", where="result.json")

    shown = Shown("tables", tmp_path, ("tables.tex",), (), texts)
    said, num_numbers = check_shown(shown, Hashes(tmp_path))
    assert said == ["cannot be made again: result.json: no rows"]
    assert num_numbers == 0
