"""Tests of the drift report: its accessibility, and its width on a phone."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.axe import violations
from training.data.synthetic import DRIFTED, USUAL, files
from training.evaluation.packaged_model import load_packaged_model
from training.monitoring.drift import measure_drift
from training.monitoring.drift_report import write_drift_report
from training.monitoring.sample import Sides, sample_reviews

pytestmark = pytest.mark.needs_chromium

PHONE = {"width": 360, "height": 640}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with drift, and words as long as a hostile review may have them."""
    path = tmp_path_factory.mktemp("report") / "drift.html"
    usual, drifted = ([content.decode() for _, content in files(60, style)] for style in (USUAL, DRIFTED))
    old, new = sample_reviews("usual.csv", usual, 1), sample_reviews("n" * 300, drifted, 1)
    for review in new.words:
        review.append("long" * 100)
    write_drift_report(path, measure_drift(Sides(old, new, old), load_packaged_model()))
    return path


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, {"viewport": PHONE}])
def test_axe_finds_no_violations_and_the_report_fits(browser: Browser, report: Path, options: dict[str, Any]) -> None:
    page = browser.new_page(**options)
    page.goto(report.as_uri())
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    page.close()
