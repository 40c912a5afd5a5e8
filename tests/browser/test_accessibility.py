"""Tests of accessibility with axe-core, in both themes, in every state of the page."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from simulator.endpoint.local_endpoint import LocalEndpoint
from tests.browser.axe import violations
from tests.browser.steps import check_several

pytestmark = pytest.mark.needs_chromium

MIXED = "The acting is superb and wonderful. The story is awful, a waste! I don't know. 8/10, or 2/10 for the rest."
PageState = Callable[[Page], None]


def empty(page: Page) -> None:
    expect(page.locator("#review")).to_be_visible()


def answer(page: Page) -> None:
    page.locator("#review").fill(MIXED)
    page.get_by_role("button", name="Judge").click()
    page.get_by_text("Show the numbers").click()
    page.get_by_text("Use the API (curl)").click()


def warned(page: Page) -> None:
    page.locator("#review").fill("Xyzzyq blorg.")
    page.get_by_role("button", name="Judge").click()
    expect(page.locator("#answer .warnings")).to_be_visible()


def error(page: Page) -> None:
    page.locator("#review").fill(MIXED)
    page.get_by_role("button", name="Judge").click()
    expect(page.get_by_role("alert")).to_be_visible()


def table(page: Page) -> None:
    page.locator("#review").fill(
        f"{MIXED}\nAwful. The worst waste of time.\nXyzzyq.\n\u200b\nOne of the best films ever"
    )
    check_several(page)
    page.get_by_role("button", name="Judge").click()
    page.get_by_role("button", name="Negative").click()
    expect(page.get_by_role("button", name="Download as CSV")).to_be_visible()


def stopped(page: Page) -> None:
    page.locator("#review").fill(MIXED)
    check_several(page)
    page.get_by_role("button", name="Judge").click()
    expect(page.get_by_role("alert")).to_be_visible()


@pytest.mark.parametrize("state", [empty, answer, warned, error, table, stopped], ids=lambda state: state.__name__)
def test_axe_finds_no_violations_in_either_theme(
    open_page: Callable[..., Page], endpoint: LocalEndpoint, state: PageState
) -> None:
    if state in {error, stopped}:
        endpoint.inject_fault("not-ready")
    page = open_page(color_scheme="light")
    state(page)
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []


@pytest.mark.parametrize("state", [answer, table], ids=lambda state: state.__name__)
def test_axe_finds_no_violations_on_the_page_without_scripts(open_page: Callable[..., Page], state: PageState) -> None:
    page = open_page()
    page.route("**/app.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.reload()
    page.locator("#review").fill(f"{MIXED}\nXyzzyq.")
    check_several(page, checked=state is table)
    page.get_by_role("button", name="Judge").click()
    page.wait_for_url("**/predict#answer")
    assert violations(page) == []
