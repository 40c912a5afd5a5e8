"""Tests of the report: its link, its content security policy, its accessibility, and its width on a phone."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations

pytestmark = pytest.mark.needs_chromium

PHONE = {"width": 360, "height": 640}


@pytest.fixture
def report(open_page: Callable[..., Page]) -> Callable[..., Page]:
    """Open the page and follow its link to the report; `open_page` reports violations of the policy."""

    def open_report(**options: Any) -> Page:
        page = open_page(**options)
        page.get_by_role("link", name="full report, with plots").click()
        page.wait_for_url("**/report")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Verdict")
        return page

    return open_report


def test_the_page_links_to_the_report_and_its_styles_apply(report: Callable[..., Page]) -> None:
    page = report()
    assert page.evaluate("getComputedStyle(document.querySelector('.tiles')).display") == "grid"
    expect(page.get_by_role("img", name="round")).to_be_visible()
    assert page.evaluate("document.querySelectorAll('svg text').length") > 50


def test_axe_finds_no_violations_in_either_theme(report: Callable[..., Page]) -> None:
    page = report(color_scheme="light")
    for summary in page.locator("summary").all():
        summary.click()
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []


def test_the_report_fits_a_small_phone(report: Callable[..., Page]) -> None:
    page = report(viewport=PHONE)
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert violations(page) == []


def test_the_navigation_links_to_the_sections(report: Callable[..., Page]) -> None:
    page = report()
    page.get_by_role("navigation").get_by_role("link", name="Data and limits").click()
    expect(page.get_by_role("heading", name="Data and limits")).to_be_in_viewport()


def test_the_contents_list_names_every_section(report: Callable[..., Page]) -> None:
    page = report()
    contents = page.get_by_role("navigation", name="Contents").get_by_role("link").all_inner_texts()
    assert contents == page.get_by_role("heading", level=2).all_inner_texts()


def test_the_report_has_a_way_back_to_the_page(report: Callable[..., Page]) -> None:
    page = report()
    home = page.url.removesuffix("report")
    page.get_by_role("link", name="Judge a review with Verdict").click()
    page.wait_for_url(home)
    expect(page.get_by_role("textbox").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_has_the_colours_of_the_page(open_page: Callable[..., Page], scheme: Any) -> None:
    colours = "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    page = open_page(color_scheme=scheme)
    of_the_page = page.evaluate(colours)
    page.get_by_role("link", name="full report, with plots").click()
    page.wait_for_url("**/report")
    assert page.evaluate(colours) == of_the_page


def test_the_report_prints_dark_on_white_from_the_dark_theme(report: Callable[..., Page]) -> None:
    page = report(color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    body = "getComputedStyle(document.body)"
    assert page.evaluate(f"[{body}.backgroundColor, {body}.color]") == ["rgb(255, 255, 255)", "rgb(33, 29, 44)"]
