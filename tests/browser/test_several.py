"""Tests of many reviews at once: lines, file formats, a server that fails half-way, and the download."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from simulator.endpoint.local_endpoint import LocalEndpoint
from tests.browser.steps import check_several

pytestmark = pytest.mark.needs_chromium

GOOD, BAD = "One of the best films I have ever seen", "Awful. The worst waste of time."
HOSTILE_CSV = (
    "id,Review,stars\r\n"
    f'1,"{GOOD}, ""really""\r\nand truly",9\r\n'
    '2,"=HYPERLINK(""http://example.com"",""awful"")",1\r\n'
    "3,,5\r\n"
    "4,<img src=x onerror=alert(1)> wonderful,8\r\n"
    '5,"+1 wonderful",8\r\n'
    "6\r\n"
    "7,@SUM(A1) horrible,2"
)


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page()


def choose(page: Page, name: str, content: str | bytes) -> None:
    content = content if isinstance(content, bytes) else content.encode()
    page.locator("#file").set_input_files({"name": name, "mimeType": "", "buffer": content})


def rows(page: Page) -> list[str]:
    expect(page.get_by_role("button", name="Download as CSV")).to_be_visible()
    return page.locator("#answer tbody.rows .quote").all_inner_texts()


def downloaded(page: Page, folder: Path) -> list[list[str]]:
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    target = folder / download.value.suggested_filename
    download.value.save_as(target)
    text = target.read_bytes().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def test_the_lines_of_the_box_become_a_table(page: Page) -> None:
    page.locator("#review").fill(f"{GOOD}\n\n  \n{BAD}\nXyzzyq.")
    check_several(page)
    expect(page.locator("#counter")).to_have_text("3 reviews, one per line.")
    page.get_by_role("button", name="Judge 3 reviews").click()
    assert rows(page) == [GOOD, BAD, "Xyzzyq."]
    expect(page).to_have_title("3 reviews · Verdict")
    expect(page.locator("#answer tbody.rows tr").nth(2)).to_contain_text("The model knows none of the words")
    expect(page.get_by_role("status")).to_have_text("3 reviews: 1 positive, 1 negative, 1 not sure.")
    expect(page.get_by_text("2 blank rows skipped (lines 2, 3).")).to_be_visible()
    expect(page.get_by_role("region", name="History")).to_contain_text("3 reviews")


def test_a_hostile_csv_file_does_no_harm(page: Page, tmp_path: Path) -> None:
    choose(page, "reviews.csv", HOSTILE_CSV)
    assert rows(page) == [
        f'{GOOD}, "really"\nand truly',
        '=HYPERLINK("http://example.com","awful")',
        "<img src=x onerror=alert(1)> wonderful",
        "+1 wonderful",
        "@SUM(A1) horrible",
    ]
    assert page.locator("img").count() == 0
    expect(
        page.get_by_text(
            "From reviews.csv. Line 8: the row has 1 cell instead of 3. 2 blank rows skipped (lines 5, 8)."
        )
    ).to_be_visible()
    header, *records = downloaded(page, tmp_path)
    assert header == ["line", "id", "Review", "stars", "verdict", "probability_of_positive", "note", "file"]
    assert [record[0] for record in records] == ["2", "4", "6", "7", "9"]
    assert [record[3] for record in records] == ["9", "1", "8", "8", "2"]
    assert [record[2] for record in records] == [
        f'{GOOD}, "really"\nand truly',
        '\'=HYPERLINK("http://example.com","awful")',
        "<img src=x onerror=alert(1)> wonderful",
        "'+1 wonderful",
        "'@SUM(A1) horrible",
    ]
    assert records[0][4] == "positive"
    assert 0.6 < float(records[0][5]) <= 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", f"{GOOD}\n{BAD}\n"),
        ("b.csv", f"id;text\r1;{GOOD}\r2;{BAD}"),
        ("c.CSV", f"\ufeffText\n{GOOD}\n{BAD}"),
        ("d.csv", f"stars\treview\n9\t{GOOD}\n1\t{BAD}\n"),
        ("e.txt", f"\n{GOOD}\r\n\r\n{BAD}"),
        ("f.txt", f"{GOOD}\n{BAD}\n".encode("utf-16")),
    ],
)
def test_files_are_read_in_many_formats(page: Page, name: str, content: str | bytes) -> None:
    choose(page, name, content)
    assert rows(page) == [GOOD, BAD]


def test_windows_1252_text_is_read(page: Page) -> None:
    choose(page, "old.txt", f"{GOOD}: a café noir".encode("cp1252"))
    assert rows(page) == [f"{GOOD}: a café noir"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("film.pdf", b"%PDF-1.4", "ends in .csv, .tsv, .jsonl or .txt"),
        ("film.csv", b"a\0b", "not a text file"),
        ("none.txt", b"\n\n \n", "is empty"),
    ],
)
def test_a_file_without_reviews_is_refused(page: Page, name: str, content: bytes, message: str) -> None:
    choose(page, name, content)
    expect(page.get_by_role("alert")).to_contain_text(message)


def test_many_reviews_are_split_into_requests_in_order(page: Page, endpoint: LocalEndpoint) -> None:
    before = endpoint.requests
    choose(page, "many.txt", "\n".join(f"{BAD} {number}" for number in range(1, 251)))
    assert rows(page) == [f"{BAD} {number}" for number in range(1, 251)]
    assert endpoint.requests - before == 3


def test_the_table_is_limited_and_the_download_has_all(page: Page, tmp_path: Path) -> None:
    choose(page, "many.txt", "\n".join([*[BAD] * 600, GOOD]))
    assert len(rows(page)) == 500
    expect(page.get_by_text("The first 500 of 601 rows are shown")).to_be_visible()
    assert len(downloaded(page, tmp_path)) == 602
    page.get_by_role("button", name="Positive").click()
    assert rows(page) == [GOOD]


def test_the_counts_filter_the_table(page: Page) -> None:
    choose(page, "few.txt", f"{GOOD}\n{BAD}\n{BAD}")
    assert rows(page) == [GOOD, BAD, BAD]
    negative = page.get_by_role("button", name="Negative")
    expect(negative).to_contain_text("2")
    negative.click()
    assert rows(page) == [BAD, BAD]
    negative.click()
    assert rows(page) == [GOOD, BAD, BAD]


def test_an_invalid_review_is_an_error_in_its_row(page: Page) -> None:
    choose(page, "few.txt", f"{GOOD}\n\u200b\n{BAD}")
    assert rows(page) == [GOOD, "\u200b", BAD]
    expect(page.locator("#answer tbody.rows tr").nth(1)).to_contain_text("Failed")
    expect(page.locator("#answer tbody.rows tr").nth(1)).to_contain_text("The review is empty")


def test_judging_resumes_after_a_server_error(page: Page, endpoint: LocalEndpoint) -> None:
    endpoint.inject_fault("not-ready")
    choose(page, "many.txt", "\n".join([BAD] * 150))
    expect(page.get_by_role("alert")).to_contain_text("The model is starting")
    endpoint.clear_faults()
    page.get_by_role("button", name="Resume", exact=True).click()
    assert len(rows(page)) == 150
    expect(page.get_by_role("alert")).to_be_hidden()


def test_judging_can_be_stopped_and_resumed(page: Page, endpoint: LocalEndpoint) -> None:
    endpoint.inject_fault("slow:3", times=1)
    with page.expect_request("**/predict"):
        choose(page, "many.txt", "\n".join([BAD] * 150))
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Stopped")
    page.get_by_role("button", name="Resume", exact=True).click()
    assert len(rows(page)) == 150


def test_a_very_long_review_is_truncated_with_a_warning(page: Page) -> None:
    choose(page, "long.txt", "good film " * 30_000 + "\n" + BAD)
    expect(page.locator("#answer tbody.rows tr")).to_have_count(2)
    expect(page.locator("#answer tbody.rows tr").first).to_contain_text("Only the first 20,000 characters were read")


def test_a_file_can_be_dropped_on_the_page(page: Page) -> None:
    drop = """(text) => {
        const data = new DataTransfer();
        data.items.add(new File([text], "dropped.txt", { type: "text/plain" }));
        document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    }"""
    page.evaluate(drop, f"{GOOD}\n{BAD}")
    assert rows(page) == [GOOD, BAD]
