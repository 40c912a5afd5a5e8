"""Tests of the page's reader of files: every case of the shared table, the choice of a column, and several files."""

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from training.project import ROOT

pytestmark = pytest.mark.needs_chromium

CASES = json.loads((ROOT / "tests" / "cases" / "files.json").read_text(encoding="utf-8"))
FILES = ROOT / "tests" / "cases" / "files"
READ = """async ({ names, contents, choice }) => {
    const { ReadingError, openSource } = await import(new URL("static/reading.js", document.baseURI));
    const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const files = names.map((name, place) => new File([bytes(contents[place])], name));
    let asked = false;
    const chooseColumn = (preview) => {
        asked = preview;
        const [column, hasHeader] = choice ?? [preview.column, preview.hasHeader];
        return { column, hasHeader };
    };
    try {
        const { rows, scale, ...source } = await openSource(files, { chooseColumn });
        const read = [];
        for await (const row of rows) read.push(row);
        const labels = scale && read.map(({ fields }) => scale.labelOf(fields[source.labelColumn]));
        return { ...source, rows: read, labels, asked: Boolean(asked), preview: asked || null };
    } catch (error) {
        if (!(error instanceof ReadingError)) throw error;
        return { refused: error.message };
    }
}"""


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page()


def read(page: Page, *names: str, choice: list[Any] | None = None) -> dict[str, Any]:
    contents = [base64.b64encode((FILES / name).read_bytes()).decode() for name in names]
    result: dict[str, Any] = page.evaluate(READ, {"names": names, "contents": contents, "choice": choice})
    return result


def choose(page: Page, *names: str) -> None:
    page.locator("#file").set_input_files([FILES / name for name in names])


def check(case: dict[str, Any], result: dict[str, Any]) -> None:
    if "refused" in case:
        assert re.search(case["refused"], result["refused"])
        return
    assert "refused" not in result, result
    filled = [place for place, row in enumerate(result["rows"]) if row["review"].strip()]
    if "rows" in case:
        rows = [result["rows"][place] for place in filled]
        assert [[row["line"], row["review"]] for row in rows] == case["rows"]
    if "column" in case:
        assert result["reviewColumn"] == case["column"]
    if "labels" in case:
        names = {1: "positive", 0: "negative", None: None}
        assert [result["labels"][place] for place in filled] == [names[label] for label in case["labels"]]
    if "damaged" in case:
        line, words = case["damaged"]
        assert any(re.search(f"^Line {line}: .*({words})", warning) for warning in result["warnings"]), result[
            "warnings"
        ]
    else:
        assert bool(result["warnings"]) == ("warns" in case), result["warnings"]
    assert result["asked"] == case.get("asks", "damaged" in case)


def test_the_page_reads_every_case_of_the_table(page: Page) -> None:
    failures = {}
    for case in CASES:
        try:
            check(case, read(page, case["file"], choice=case.get("choice")))
        except AssertionError as error:
            failures[case["file"]] = str(error)
    assert failures == {}
