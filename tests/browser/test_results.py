"""Tests of the results of many reviews: order, search, agreement with labels, retries, and the download."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from simulator.endpoint.local_endpoint import LocalEndpoint
from tests.browser.axe import violations

GOOD, BAD, UNSURE = (
    "One of the best films I have ever seen",
    "Awful. The worst waste of time.",
    "Watched this yesterday.",
)
LABELLED = "\n".join(
    [
        "name,review,sentiment",
        f'A,"{GOOD}; really",positive',
        f"B,{BAD},positive",
        f"C,{BAD},negative",
        "D,,negative",
        f"E,{UNSURE},negative",
    ]
)


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page()


def choose(page: Page, name: str, content: str) -> None:
    page.locator("#file").set_input_files({"name": name, "mimeType": "", "buffer": content.encode()})
    expect(page.get_by_role("button", name="Download as CSV")).to_be_visible()


def shown(page: Page) -> list[str]:
    return page.locator("#answer tbody.rows .quote").all_inner_texts()


def test_the_download_keeps_all_columns_and_is_named_after_the_file(page: Page, tmp_path: Path) -> None:
    choose(page, "my films.csv", LABELLED)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    assert download.value.suggested_filename == "my films-verdicts.csv"
    download.value.save_as(tmp_path / "a.csv")
    text = (tmp_path / "a.csv").read_bytes().decode("utf-8-sig")
    header, *records = csv.reader(io.StringIO(text, newline=""))
    assert header[:5] == ["line", "name", "review", "sentiment", "verdict"]
    assert [record[:2] for record in records] == [["2", "A"], ["3", "B"], ["4", "C"], ["6", "E"]]
    assert f'"{GOOD}; really"' in text  # a spreadsheet that splits at semicolons must not split it


def test_labels_give_accuracy_a_table_and_the_disagreements(page: Page) -> None:
    choose(page, "films.csv", LABELLED)
    expect(page.locator("[data-part=accuracy]")).to_contain_text("66.7% of 3 sure verdicts agree with “sentiment”")
    expect(page.locator('[data-confusion="positive/negative"]')).to_have_text("1")
    page.get_by_role("button", name="Show the disagreements").click()
    assert shown(page) == [BAD]
    expect(page.locator("#answer tbody.rows tr")).to_contain_text("3")
    assert violations(page) == []


def test_a_file_without_labels_has_no_accuracy(page: Page) -> None:
    choose(page, "films.txt", f"{GOOD}\n{BAD}")
    expect(page.locator("[data-part=agreement]")).to_be_hidden()


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("as in the source", [BAD, UNSURE, GOOD]),
        ("least sure first", [UNSURE]),
        ("most positive first", [GOOD, UNSURE, BAD]),
        ("most negative first", [BAD, UNSURE, GOOD]),
    ],
)
def test_the_rows_can_be_ordered(page: Page, order: str, expected: list[str]) -> None:
    choose(page, "films.txt", "\n".join([BAD, UNSURE, GOOD]))
    page.get_by_label("Order").select_option(order)
    assert shown(page)[: len(expected)] == expected


def test_the_rows_can_be_searched(page: Page) -> None:
    choose(page, "films.txt", "\n".join([BAD, UNSURE, GOOD]))
    page.get_by_label("Search").fill("BEST")
    assert shown(page) == [GOOD]


def test_the_shares_are_those_of_the_verdicts(page: Page) -> None:
    choose(page, "films.txt", "\n".join([BAD, BAD, BAD, GOOD]))
    widths = page.locator("[data-share]").evaluate_all("(bars) => bars.map((bar) => bar.getAttribute('width'))")
    assert widths == ["25%", "75%", "0%", "0%"]


def test_one_review_is_singular(page: Page) -> None:
    choose(page, "films.txt", GOOD)
    expect(page.locator("#answer h2")).to_have_text("1 review")
    expect(page).to_have_title("1 review · Verdict")


def test_a_long_row_opens_and_a_row_can_be_explained(page: Page) -> None:
    choose(page, "films.txt", f"{BAD * 30}\n{GOOD}")
    page.get_by_role("button", name="Show all", expanded=False).click()
    expect(page.locator(".quote.open")).to_have_count(1)
    expect(page.get_by_role("button", name="Show less", expanded=True)).to_be_visible()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Explain").nth(1).click()
    expect(opened.value.locator("#answer h2")).to_contain_text("Positive")


def test_a_busy_server_is_tried_again_after_a_countdown(page: Page, endpoint: LocalEndpoint) -> None:
    endpoint.inject_fault("throttled", times=3)  # all attempts of one request
    page.locator("#file").set_input_files({"name": "a.txt", "mimeType": "", "buffer": f"{GOOD}\n{BAD}".encode()})
    expect(page.locator("[data-part=countdown]")).to_contain_text("Resuming in")
    expect(page.locator("#announcer")).to_contain_text("The model is busy. Resuming in 2 seconds.")
    expect(page.locator("#answer tbody.rows tr")).to_have_count(2)
    expect(page.locator("#answer h2")).to_have_text("2 reviews")


def test_the_countdown_can_be_stopped(page: Page, endpoint: LocalEndpoint) -> None:
    endpoint.inject_fault("not-ready")
    page.locator("#file").set_input_files({"name": "a.txt", "mimeType": "", "buffer": f"{GOOD}\n{BAD}".encode()})
    expect(page.locator("[data-part=countdown]")).to_contain_text("Resuming in")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Stopped")
    expect(page).to_have_title("Stopped · Verdict")
    expect(page.get_by_role("button", name="Resume", exact=True)).to_be_focused()
    endpoint.clear_faults()
    page.get_by_role("button", name="Resume", exact=True).click()
    expect(page.locator("#answer tbody.rows tr")).to_have_count(2)
