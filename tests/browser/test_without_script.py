"""Tests of the page without JavaScript: a form, and a page for each response."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from simulator.endpoint.local_endpoint import LocalEndpoint
from tests.browser.steps import check_several

pytestmark = pytest.mark.needs_chromium


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page(java_script_enabled=False)


def submit(page: Page, text: str) -> None:
    page.locator("#review").fill(text)
    page.get_by_role("button", name="Judge").click()


def test_a_review_is_judged_and_kept_in_the_box(page: Page) -> None:
    submit(page, "\n Awful, a boring waste of time.\nThe worst movie ever.")
    expect(page.get_by_role("heading", name="Negative")).to_be_visible()
    expect(page.locator("#review")).to_have_value("\n Awful, a boring waste of time.\nThe worst movie ever.")
    expect(page.get_by_role("img", name="Probability that the review is positive")).to_be_visible()


def test_sentences_and_words_are_marked_and_in_tables(page: Page) -> None:
    submit(page, "The acting is superb. The story is awful & <b>long</b>.")
    expect(page.locator(".reading .sentence")).to_have_count(2)
    expect(page.locator(".reading mark", has_text="awful")).to_be_visible()
    assert "The story is awful & <b>long</b>." in page.locator(".reading").inner_text()
    page.get_by_text("Show the numbers").click()
    expect(page.get_by_role("table", name="Sentences").get_by_role("row")).to_have_count(3)


def test_an_example_is_judged_with_one_press(page: Page) -> None:
    page.get_by_role("button", name="One of the best films I have ever seen.").click()
    expect(page.get_by_role("heading", name="Positive")).to_be_visible()
    expect(page.locator("#review")).to_have_value("One of the best films I have ever seen.")


def test_several_reviews_become_a_table(page: Page) -> None:
    check_several(page)
    submit(page, "One of the best films I have ever seen.\n\nAwful. The worst waste of time.\nXyzzyq.")
    rows = page.locator("#answer tbody.rows tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("Positive")
    expect(rows.nth(1)).to_contain_text("Negative")
    expect(rows.nth(2)).to_contain_text("Not sure")
    expect(page.get_by_label("One review per line")).to_be_checked()


def test_an_empty_review_is_refused(page: Page) -> None:
    submit(page, "   ")
    expect(page.get_by_role("alert")).to_contain_text("Write at least one word")


def test_an_unavailable_endpoint_is_reported_and_the_text_kept(page: Page, endpoint: LocalEndpoint) -> None:
    endpoint.inject_fault("not-ready")
    submit(page, "A fine film.")
    expect(page.get_by_role("alert")).to_contain_text("The model is starting")
    expect(page.locator("#review")).to_have_value("A fine film.")
    endpoint.clear_faults()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("article.verdict")).to_be_visible()


def test_several_reviews_can_be_retried(page: Page, endpoint: LocalEndpoint) -> None:
    endpoint.inject_fault("not-ready")
    check_several(page)
    submit(page, "A fine film.\nA bad film.")
    expect(page.get_by_label("One review per line")).to_be_checked()
    endpoint.clear_faults()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#answer tbody.rows tr")).to_have_count(2)


def test_controls_that_need_a_script_are_hidden(page: Page) -> None:
    expect(page.get_by_text("Or choose a file of reviews")).to_be_hidden()
    expect(page.get_by_text("History", exact=True)).to_be_hidden()
    expect(page.get_by_role("button", name="Theme")).to_be_hidden()


def test_the_address_of_an_answer_opens_the_page(page: Page) -> None:
    submit(page, "Awful, a boring waste of time.")
    response = page.goto(page.url.partition("#")[0])  # as from the address bar, which sends GET
    assert response
    assert response.status == 200
    expect(page.locator("#review")).to_be_visible()
    submit(page, "One of the best films I have ever seen.")
    expect(page.get_by_role("heading", name="Positive")).to_be_visible()


def test_an_unknown_address_is_an_error_on_the_page(page: Page) -> None:
    response = page.goto(page.url + "nowhere")
    assert response
    assert response.status == 404
    expect(page.get_by_role("alert")).to_contain_text("There is nothing at /nowhere")


def test_a_multipart_form_is_judged(page: Page) -> None:
    page.locator("form#predict").evaluate("form => form.enctype = 'multipart/form-data'")
    submit(page, "One of the best films I have ever seen.")
    expect(page.get_by_role("heading", name="Positive")).to_be_visible()
