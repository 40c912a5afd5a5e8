"""Tests of the cells of a download: no text of a review becomes a formula of a spreadsheet."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from training.project import ROOT

pytestmark = pytest.mark.needs_chromium

CASES = json.loads((ROOT / "tests" / "cases" / "spreadsheet_cells.json").read_text(encoding="utf-8"))
FORMAT = """async (texts) => {
    const { csvOf } = await import(new URL("static/csv.js", document.baseURI));
    return texts.map((text) => csvOf([[text]]));
}"""


def test_no_cell_is_a_formula_at_any_separator(open_page: Callable[..., Page]) -> None:
    records = open_page().evaluate(FORMAT, [case["text"] for case in CASES])
    assert records == [f"{case['cell']}\r\n" for case in CASES]
