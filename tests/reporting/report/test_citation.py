"""The citation is that of CITATION.cff."""

from benchmark.files.repository import REPOSITORY
from benchmark.reporting.report.citation import bibtex


def test_software_and_paper_are_cited():
    software, paper = bibtex(REPOSITORY / "CITATION.cff").split("\n\n")
    assert software.startswith("@software{efficientvideobenchmark,")
    assert "author = {{The efficient-video-benchmark maintainers}}" in software
    assert paper.startswith("@inproceedings{frameexit2021,")
    assert "author = {Ghodrati, Amir and Ehteshami Bejnordi, Babak and Habibian, Ami" in paper
    assert "  booktitle = {Proceedings of the IEEE/CVF" in paper
    assert paper.endswith("}")
