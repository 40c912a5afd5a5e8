"""Tests of the page's reader of files: every case of the shared table, the choice of a column, and several files."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from chalicelib.assets import FOLDER
from tests.browser.axe import violations
from training.project import ROOT

pytestmark = pytest.mark.needs_chromium

CASES = json.loads((ROOT / "tests" / "cases" / "files.json").read_text(encoding="utf-8"))
SCALES = json.loads((ROOT / "tests" / "cases" / "labels.json").read_text(encoding="utf-8"))
FILES = ROOT / "tests" / "cases" / "files"
PAPAPARSE_SHA256 = "e032656b2c709e9a756d5be817da9885d58b2313c43d432c414eb8534a752685"  # papaparse.min.js of 5.7.1
READ = """async ({ names, contents, choice }) => {
    const { ReadingError, openSource } = await import(new URL("static/reading.js", document.baseURI));
    const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const files = names.map((name, place) => new File([bytes(contents[place])], name));
    let shown = false;
    const chooseColumn = (preview) => {
        shown = preview;
        const [column, hasHeader] = choice ?? [preview.column, preview.hasHeader];
        return { column, hasHeader };
    };
    try {
        const { rows, scale, ...source } = await openSource(files, { chooseColumn });
        const read = [];
        for await (const row of rows) read.push(row);
        const labels = scale && read.map(({ fields }) => scale.labelOf(fields[source.labelColumn]));
        return { ...source, rows: read, labels, picker: Boolean(shown), preview: shown || null };
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
    page.locator(".many").evaluate("(each) => { each.open = true; }")
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
    assert result["picker"] == case.get("picker", "damaged" in case)


def test_the_page_reads_every_case_of_the_table(page: Page) -> None:
    failures = {}
    for case in CASES:
        try:
            check(case, read(page, case["file"], choice=case.get("choice")))
        except AssertionError as error:
            failures[case["file"]] = str(error)
    assert failures == {}


def test_the_page_decides_scales_as_training_does(page: Page) -> None:
    script = """async (cases) => {
        const { openSource } = await import(new URL("static/reading.js", document.baseURI));
        const read = [];
        for (const { column, values } of cases) {
            const rows = values.map((value) => `some text,${value}`);
            const { scale } = await openSource([new File([`review,${column}\\n${rows.join("\\n")}`], "a.csv")], {});
            read.push(scale && values.map(scale.labelOf));
        }
        return read;
    }"""
    names = {1: "positive", 0: "negative", None: None}
    assert page.evaluate(script, SCALES) == [
        case["labels"] and [names[label] for label in case["labels"]] for case in SCALES
    ]


def test_the_column_is_chosen_from_a_preview_with_the_keyboard(page: Page) -> None:
    page.locator(".many").evaluate("(each) => { each.open = true; }")
    page.locator("#file").focus()
    choose(page, "two-review-columns.csv")
    dialog = page.get_by_role("dialog", name="Which column holds the reviews?")
    expect(dialog).to_contain_text("two-review-columns.csv")
    expect(dialog.locator("tbody tr")).to_have_count(2)
    expect(dialog.get_by_role("radio", name="text", exact=True)).to_be_focused()
    assert violations(page) == []
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("radio", name="review")).to_be_checked()
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.locator("#answer tbody.rows .quote")).to_have_text(["Good film.", "Awful, really."])


def test_the_preview_has_three_rows_and_may_begin_with_a_header(page: Page) -> None:
    text = "Meinung;Note\nGood film.;9\nA bad film.;1\nFine.;5\nThe fourth row.;6\n"
    page.locator("#file").set_input_files({"name": "a.csv", "mimeType": "", "buffer": text.encode()})
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("tbody tr td:first-child")).to_have_text(["Good film.", "A bad film.", "Fine."])
    header = dialog.get_by_role("checkbox", name="The first row holds the column names")
    expect(header).to_be_checked()
    header.uncheck()
    expect(dialog.locator("tbody tr td:first-child")).to_have_text(["Meinung", "Good film.", "A bad film."])
    expect(dialog.get_by_role("radio", name="Column 1")).to_be_checked()
    header.check()
    dialog.get_by_role("button", name="Judge this column").click()
    expect(page.locator("#answer tbody.rows tr")).to_have_count(4)


@pytest.mark.parametrize("key", ["Escape", "Enter"])
def test_a_cancelled_choice_judges_nothing_and_returns_the_focus(page: Page, key: str) -> None:
    page.locator(".many").evaluate("(each) => { each.open = true; }")
    page.locator("#file").focus()
    choose(page, "no-header.csv")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    if key == "Enter":
        dialog.get_by_role("button", name="Cancel").focus()
    page.keyboard.press(key)
    expect(dialog).to_have_count(0)
    expect(page.locator("#file")).to_be_focused()
    expect(page.locator("#answer table")).to_have_count(0)


def test_a_missing_quote_is_a_warning_before_anything_is_judged(page: Page) -> None:
    choose(page, "unclosed-quote.csv")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("list", name="Warnings")).to_contain_text("Line 3: a quote is opened and never closed")
    expect(page.locator("#answer table")).to_have_count(0)
    dialog.get_by_role("button", name="Judge this column").click()
    expect(page.locator("#answer tbody.rows tr")).to_have_count(2)
    expect(page.locator("#answer")).to_contain_text("Line 3: a quote is opened and never closed")


@pytest.mark.parametrize("name", ["header-only.csv", "empty.csv", "ids.csv", "sheet.xlsx"])
def test_an_unusable_file_is_one_sentence_without_a_table(page: Page, name: str) -> None:
    choose(page, name)
    expect(page.get_by_role("alert")).to_contain_text("This file cannot be used")
    expect(page.locator("#answer table")).to_have_count(0)


def test_several_files_with_the_same_columns_are_read_in_order(page: Page) -> None:
    result = read(page, "comma.csv", "semicolon.csv")
    assert [(row["file"], row["line"], row["review"]) for row in result["rows"]] == [
        ("comma.csv", 2, "Good film."),
        ("comma.csv", 3, "Awful, really."),
        ("semicolon.csv", 2, "Good film."),
        ("semicolon.csv", 3, "Awful, really."),
    ]
    assert (result["name"], result["count"]) == ("comma.csv and 1 more", 4)
    assert "different columns" in read(page, "comma.csv", "letterboxd.csv")["refused"]


def test_another_file_replaces_an_open_choice(page: Page) -> None:
    choose(page, "no-header.csv")
    expect(page.get_by_role("dialog")).to_contain_text("no-header.csv")
    choose(page, "unknown-names.csv")
    expect(page.get_by_role("dialog")).to_have_count(1)
    expect(page.get_by_role("dialog")).to_contain_text("unknown-names.csv")


def test_the_last_of_two_dropped_files_is_judged(page: Page) -> None:
    script = """async () => {
        const { openSource } = await import(new URL("static/reading.js", document.baseURI));
        const slow = new File(["review\\nslow\\n".repeat(200_000)], "slow.csv");
        for (const file of [slow, new File(["Good film."], "quick.txt")]) {
            const data = new DataTransfer();
            data.items.add(file);
            document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }
        await openSource([slow], {}); // ends after the reading that began before it
    }"""
    page.evaluate(script)
    expect(page.locator("#answer tbody.rows .quote")).to_have_text(["Good film."])


def test_characters_and_quotes_across_chunks_are_read_whole(page: Page) -> None:
    row = 'é€𝄞 "" quoted,\r\nand more'
    script = """async ([row, count]) => {
        const { openSource } = await import(new URL("static/reading.js", document.baseURI));
        const text = "review,label\\r\\n" + `"${row}",1\\r\\n`.repeat(count);
        const source = await openSource([new File([text], "large.csv")], {});
        const seen = new Map();
        for await (const { review } of source.rows) seen.set(review, (seen.get(review) ?? 0) + 1);
        return [source.count, source.warnings, [...seen]];
    }"""
    expected = [200_000, [], [['é€𝄞 " quoted,\nand more', 200_000]]]
    assert page.evaluate(script, [row, 200_000]) == expected


def test_papaparse_is_the_published_file_with_its_licence() -> None:
    assert hashlib.sha256((FOLDER / "papaparse.js").read_bytes()).hexdigest() == PAPAPARSE_SHA256
    assert "Copyright (c) 2015 Matthew Holt" in (FOLDER / "papaparse.LICENSE.txt").read_text(encoding="utf-8")
