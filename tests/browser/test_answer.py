"""Tests of the answer on the page: its place, its marks, its tools, and what a reload keeps."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from simulator.endpoint.local_endpoint import LocalEndpoint
from tests.browser.steps import check_several

PAN = (
    "The opening scene on the ferry is beautiful and tense. Then somebody opens his mouth. The dialogue is dreadful "
    "and the plot makes no sense. By the second hour I was bored. The music is the worst that I have heard this year. "
) * 2
LONG = "The story is dull and the acting is terrible. We sat in the third row. It was on a Tuesday. " * 60


def judge(page: Page, text: str) -> None:
    page.locator("#review").fill(text)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#answer h2")).to_be_visible()


@pytest.mark.parametrize("size", [(390, 844), (390, 664), (1280, 720), (1024, 768)])
def test_the_answer_is_in_view(size: tuple[int, int], open_page: Callable[..., Page]) -> None:
    page = open_page(viewport={"width": size[0], "height": size[1]})
    judge(page, PAN)
    for selector in ("#answer h2", "#answer .lead", "#answer .scale"):
        expect(page.locator(selector)).to_be_in_viewport(ratio=1)


def test_an_error_is_in_view(open_page: Callable[..., Page], endpoint: LocalEndpoint) -> None:
    endpoint.inject_fault("not-ready")
    page = open_page(viewport={"width": 390, "height": 664})
    judge(page, PAN)
    expect(page.locator("#answer .detail")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marked_words_are_readable_in_forced_colours(scheme: str, open_page: Callable[..., Page]) -> None:
    page = open_page(forced_colors="active", color_scheme=scheme)
    judge(page, PAN)
    mark = page.locator(".reading mark").first
    colours = mark.evaluate("(each) => [getComputedStyle(each).color, getComputedStyle(each).backgroundColor]")
    text = page.locator(".lead").evaluate("(each) => getComputedStyle(each).color")
    assert colours[0] == text
    assert colours[0] != colours[1]
    button = page.locator("button.main").evaluate("(each) => getComputedStyle(each).borderTopColor")
    assert button not in {"rgba(0, 0, 0, 0)", colours[1]}


def test_a_marks_number_is_shown_on_focus_and_on_a_tap(open_page: Callable[..., Page]) -> None:
    page = open_page()
    judge(page, PAN)
    note = page.locator("[data-part=mark-note]")
    marks = page.locator(".reading mark")
    marks.nth(0).focus()
    expect(note).to_contain_text("points")
    marks.nth(1).click()
    expect(note).to_contain_text(marks.nth(1).inner_text().lower())


def test_the_legend_explains_only_the_marks_that_occur(open_page: Callable[..., Page]) -> None:
    page = open_page()
    judge(page, "One of the best films I have ever seen.")
    expect(page.locator(".legend")).to_contain_text("likely to be positive")
    expect(page.locator(".legend")).not_to_contain_text("likely to be negative")


def test_a_mixed_review_says_so(open_page: Callable[..., Page]) -> None:
    page = open_page()
    judge(page, "The acting is superb and wonderful. The plot is terrible, a boring waste of time.")
    expect(page.locator("#answer")).to_contain_text("Mixed:")


def test_a_long_review_shows_its_decisive_sentences_first(open_page: Callable[..., Page]) -> None:
    page = open_page()
    judge(page, LONG)
    expect(page.locator("#answer .reading").first).to_be_visible()
    assert len(page.locator("#answer .reading").first.inner_text()) < len(LONG) / 2
    page.get_by_text("Show the whole review").click()
    expect(page.locator("#answer .reading").nth(1)).to_be_visible()


def test_text_in_another_language_is_called_that(open_page: Callable[..., Page]) -> None:
    page = open_page()
    judge(page, "Ein wunderbarer Film, den man unbedingt gesehen haben muss, auch wenn er etwas zu lang geraten ist.")
    expect(page.locator("#answer .lead")).to_contain_text("does not look like English")
    expect(page.locator("#answer .scale")).to_have_count(0)


def test_a_reload_and_back_keep_the_answer(open_page: Callable[..., Page], endpoint: LocalEndpoint) -> None:
    page = open_page()
    judge(page, PAN)
    before = endpoint.requests
    page.reload()
    expect(page.locator("#answer h2")).to_contain_text("Negative")
    expect(page.locator("#review")).to_have_value(PAN)
    page.get_by_role("link", name="full report").click()
    page.go_back()
    expect(page.locator("#answer h2")).to_contain_text("Negative")
    assert endpoint.requests == before


def test_a_link_to_a_review_judges_it(open_page: Callable[..., Page]) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    judge(page, "Awful + dull & 100% wasted.")
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("[data-part=copied]")).to_have_text("Copied.")
    link = page.evaluate("navigator.clipboard.readText()")
    assert "#review=Awful%20%2B" in link
    page.goto("about:blank")
    with page.expect_request("**/predict") as sent:
        page.goto(link)
    assert "#" not in sent.value.url
    expect(page.locator("#answer h2")).to_contain_text("Negative")
    expect(page.locator("#review")).to_have_value("Awful + dull & 100% wasted.")
    page.evaluate("location.hash = '#review=One%20of%20the%20best%20films'")  # a link pasted into this tab
    expect(page.locator("#answer h2")).to_contain_text("Positive")
    assert "#" not in page.url


def test_the_result_can_be_copied(open_page: Callable[..., Page]) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    judge(page, "Awful.")
    page.get_by_role("button", name="Copy result").click()
    expect(page.locator("[data-part=copied]")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()").startswith("Negative: ")


def test_the_json_of_a_verdict_can_be_read(open_page: Callable[..., Page]) -> None:
    page = open_page()
    judge(page, "Awful.")
    page.get_by_text("Show the JSON").click()
    code = page.locator("[data-part=json] code")
    expect(code).to_contain_text("request_id")
    assert json.loads(code.inner_text())["label"] == "negative"


def test_clear_removes_the_text_and_the_answer(open_page: Callable[..., Page]) -> None:
    page = open_page()
    judge(page, "Awful.")
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.locator("#review")).to_have_value("")
    expect(page.locator("#review")).to_be_focused()
    expect(page.locator("#answer h2")).to_have_count(0)
    assert page.title() == "Verdict"


def test_an_example_does_not_discard_a_running_batch(open_page: Callable[..., Page], endpoint: LocalEndpoint) -> None:
    endpoint.inject_fault("slow:3", times=1)
    page = open_page()
    check_several(page)
    page.locator("#review").fill("Good.\nBad.")
    page.get_by_role("button", name="Judge 2 reviews").click()
    page.locator("#examples button").first.click()
    expect(page.locator("[data-part=busy]")).to_contain_text("Stop that first")
    expect(page.locator("#answer tbody.rows tr")).to_have_count(2)
    expect(page.locator("[data-part=busy]")).to_have_text("")


def test_the_focus_is_not_lost_after_a_history_item(open_page: Callable[..., Page]) -> None:
    page = open_page()
    judge(page, "Awful.")
    page.get_by_role("region", name="History").get_by_role("button", name="Awful.").click()
    expect(page.locator("#answer h2")).to_be_visible()
    page.wait_for_function("document.activeElement !== document.body")
    page.get_by_role("button", name="Clear history").click()
    assert page.evaluate("document.activeElement.id") == "review"


def test_wide_screens_show_the_answer_beside_the_form(open_page: Callable[..., Page]) -> None:
    page = open_page(viewport={"width": 1440, "height": 900})
    judge(page, PAN)
    form, answer = page.locator("#predict").bounding_box(), page.locator("#answer").bounding_box()
    assert form is not None
    assert answer is not None
    assert answer["x"] > form["x"] + form["width"]


def test_print_shows_the_answer_on_white_without_the_form(open_page: Callable[..., Page]) -> None:
    page = open_page(color_scheme="dark")
    judge(page, PAN)
    page.emulate_media(media="print")
    expect(page.locator("#predict")).to_be_hidden()
    expect(page.locator("#answer .reading")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_the_examples_show_the_range_of_verdicts(open_page: Callable[..., Page]) -> None:
    page = open_page()
    for number, verdict in enumerate(["Negative", "Positive", "Not sure", "Not sure", "Negative"]):
        example = page.locator("#examples button").nth(number)
        example.click()
        expect(page.locator("#review")).to_have_value(example.get_attribute("value") or "")
        expect(page.locator("#answer h2")).to_contain_text(verdict)
        expect(page.get_by_role("button", name="Judge", exact=True)).to_be_visible()


def test_an_example_of_many_reviews_fills_the_box(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.get_by_text("Many reviews…").click()
    page.get_by_role("button", name="Fill in an example").click()
    expect(page.locator("#answer tbody.rows tr")).to_have_count(5)
