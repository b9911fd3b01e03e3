"""`snakemake report`: one file, opened in a browser without a network, as a reviewer would."""

import re
import shutil
from dataclasses import replace

import pytest
from browser import CHROMIUM, DRIVER, PHONE, WIDE, chromium, look
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from benchmark.experiment.finished import finished_plan
from benchmark.reporting.made import Work
from benchmark.reporting.report.page import make
from benchmark.verification.verify import verify

pytestmark = pytest.mark.dag
needs_chromium = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no Chromium here: apt-get install chromium chromium-driver"
)


@pytest.fixture(scope="module")
def reported(tiny_run, tmp_path_factory):
    """Return a copy of the finished run in which the report was made."""
    folder = tmp_path_factory.mktemp("reported") / "copy"
    made = replace(tiny_run, folder=shutil.copytree(tiny_run.folder, folder))
    made.run_well("report")
    return made


@pytest.fixture(scope="module")
def page(reported):
    return reported.results / "report.html"


@pytest.fixture(scope="module")
def text(page):
    return page.read_text(encoding="utf-8")


def test_it_is_one_file_that_can_be_sent_by_mail(page, text):
    assert page.stat().st_size < 5e6
    markup = re.sub(r"(<script[^>]*>).*?</script>", r"\1", text, flags=re.DOTALL)
    loaded = re.findall(r'<(?:link|img|script|iframe)\b[^>]*\b(?:src|href)="([^"]*)"', markup)
    assert loaded
    assert [source[:40] for source in loaded if not source.startswith("data:")] == []


def test_every_link_within_it_leads_somewhere(text):
    body = text[: text.index('<script type="text/plain"')]
    places = set(re.findall(r'\bid="([^"]+)"', body))
    links = set(re.findall(r'href="#([^"]+)"', body)) | set(re.findall(r'"link": "#([^"]+)"', body))
    assert len(links) > 20
    assert links - places == set()


def test_the_same_results_give_the_same_bytes(reported, text):
    plan = finished_plan(str(reported.results.parent), "tiny")
    assert make(plan, "report", Work()).texts == {"report.html": text}


def test_an_edited_report_is_named_as_stale(reported, tmp_path, capsys):
    copied = shutil.copytree(reported.results, tmp_path / "results" / "tiny")
    edited = copied / "report.html"
    edited.write_text(edited.read_text(encoding="utf-8").replace(" none failed", " all fine"))
    edited.write_text(edited.read_text(encoding="utf-8").replace("2 skipped", "none skipped"))
    assert verify(finished_plan(str(copied.parent), "tiny")) == 1
    said = capsys.readouterr().out
    ((name, cause),) = re.findall(r"^(\w+) +STALE: (.*)$", said, re.MULTILINE)
    assert name == "report"
    assert re.search(r"report\.html:\d+: not what the results give", cause)
    agreeing = re.findall(r"^(\w+) +agrees$", said, re.MULTILINE)
    assert {"exits", "strip", "frontier", "ledger"} <= set(agreeing)


def test_what_was_skipped_stands_in_a_section_of_its_own(text):
    section = text[text.index('<section id="missing">') : text.index('<section id="runs">')]
    assert "skipped run" in section
    assert "this profile has no network" in section


@pytest.fixture(scope="module")
def driver():
    with chromium() as started:
        yield started


def _column(driver, heading):
    """Return the texts of a column of Table 2, as they stand on the page."""
    script = """
      const table = document.querySelector("#table2 table.sortable");
      const heads = [...table.tHead.rows[0].cells].map(cell => cell.innerText.trim());
      const place = heads.indexOf(arguments[0]);
      return [...table.tBodies[0].rows].map(row => row.cells[place].innerText.trim());
    """
    return driver.execute_script(script, heading)


@needs_chromium
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_loads_without_errors_and_fits_the_screen(driver, page, size, scheme):
    wanted = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wanted})
    driver.get_log("browser")
    look(driver, page, size=size)
    assert driver.get_log("browser") == []
    width = driver.execute_script("return document.documentElement.scrollWidth")
    assert width <= size[0]
    back = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    brightness = sum(map(int, re.findall(r"\d+", back)[:3])) / 3
    assert (brightness < 128) == (scheme == "dark")


@needs_chromium
def test_a_click_on_a_heading_sorts_by_number(driver, page):
    look(driver, page)
    before = _column(driver, "GFLOPs")
    heading = driver.find_element(By.XPATH, "//section[@id='table2']//th[contains(., 'GFLOPs')]")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", heading)
    for direction in (1, -1):
        heading.click()
        WebDriverWait(driver, 10).until(lambda d, way=direction: _is_sorted(d, way))
    heading.click()
    WebDriverWait(driver, 10).until(lambda d: _column(d, "GFLOPs") == before)


def _is_sorted(driver, direction):
    cells = [cell for cell in _column(driver, "GFLOPs") if cell]
    values = [direction * float(cell.split(" ")[0]) for cell in cells]
    return len(values) > 5 and values == sorted(values)


@needs_chromium
def test_typing_filters_the_rows(driver, page):
    look(driver, page)
    box = driver.find_element(By.CSS_SELECTOR, "#table2 input[type=search]")
    num_all = len(_column(driver, "row"))
    box.send_keys("uniform")
    WebDriverWait(driver, 10).until(lambda d: len(_column(d, "row")) < num_all)
    left = _column(driver, "row")
    assert left
    assert all("niform" in row for row in left)


@needs_chromium
def test_a_number_leads_to_its_run(driver, page):
    look(driver, page)
    link = driver.find_element(By.CSS_SELECTOR, "#table2 tbody td[data-order] a")
    name = link.get_attribute("href").partition("#")[2]
    driver.execute_script(
        "arguments[0].scrollIntoView({block: 'center'}); arguments[0].click()", link
    )
    fold = driver.find_element(By.ID, name)
    WebDriverWait(driver, 10).until(lambda d: fold.get_attribute("open"))
    top = "return arguments[0].getBoundingClientRect().top"
    WebDriverWait(driver, 10).until(lambda d: abs(d.execute_script(top, fold)) < WIDE[1])
    for what in ("digests", "seed0", "job, s", "train-multi-", "GFLOPs by component", "snakemake "):
        assert what in fold.text
    environment = driver.find_element(By.CSS_SELECTOR, "details[id^=environment] dl")
    facts = environment.get_attribute("textContent")
    assert all(fact in facts for fact in ("commit", "torch ", "processor"))


@needs_chromium
def test_pointing_at_the_frontier_shows_its_numbers(driver, page):
    look(driver, page)
    marks = driver.find_elements(By.CSS_SELECTOR, ".chart svg .mark-symbol path[aria-label]")
    assert marks
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", marks[0])
    ActionChains(driver).move_to_element(marks[0]).perform()
    tip = "return document.querySelector('#vg-tooltip-element')?.innerText ?? ''"
    WebDriverWait(driver, 10).until(lambda d: "GFLOPs" in d.execute_script(tip))
    assert re.search(r"mAP:?\s+\d+\.\d", driver.execute_script(tip))
