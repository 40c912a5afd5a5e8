"""Tests of accessibility with axe-core: in both themes, in forced colours, on a phone, and without scripts."""

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


def another_language(page: Page) -> None:
    page.locator("#review").fill("Dieser Film ist leider sehr langweilig und viel zu lang, ich habe mich nur geärgert.")
    page.get_by_role("button", name="Judge").click()
    expect(page.locator("#answer .verdict")).to_be_visible()


def shortened(page: Page) -> None:
    page.locator("#review").fill(f"{MIXED} " * 60)
    page.get_by_role("button", name="Judge").click()
    page.get_by_text("Show the whole review").click()


def json_shown(page: Page) -> None:
    page.locator("#review").fill(MIXED)
    page.get_by_role("button", name="Judge").click()
    page.get_by_text("Show the JSON").click()
    expect(page.locator("[data-part=json] code")).to_contain_text("known_words")


def choices_open(page: Page) -> None:
    check_several(page)


STATES = [
    empty,
    choices_open,
    answer,
    warned,
    another_language,
    shortened,
    json_shown,
    error,
    table,
    stopped,
]


def name_of(state: PageState) -> str:
    return getattr(state, "__name__", "")


@pytest.mark.parametrize("state", STATES, ids=name_of)
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


@pytest.mark.parametrize("state", [empty, answer, error, table], ids=name_of)
def test_axe_finds_no_violations_in_forced_colours(
    open_page: Callable[..., Page], endpoint: LocalEndpoint, state: PageState
) -> None:
    if state is error:
        endpoint.inject_fault("not-ready")
    page = open_page(color_scheme="light", forced_colors="active")
    state(page)
    assert violations(page) == []
    page.emulate_media(color_scheme="dark", forced_colors="active")
    assert violations(page) == []


@pytest.mark.parametrize("state", [empty, answer, error, table], ids=name_of)
def test_axe_finds_no_violations_on_a_phone(
    open_page: Callable[..., Page], endpoint: LocalEndpoint, state: PageState
) -> None:
    if state is error:
        endpoint.inject_fault("not-ready")
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True)
    state(page)
    assert violations(page) == []


@pytest.mark.parametrize("state", [answer, table], ids=name_of)
def test_axe_finds_no_violations_on_the_page_without_scripts(open_page: Callable[..., Page], state: PageState) -> None:
    page = open_page()
    page.route("**/app.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.reload()
    page.locator("#review").fill(f"{MIXED}\nXyzzyq.")
    check_several(page, checked=state is table)
    page.get_by_role("button", name="Judge").click()
    page.wait_for_url("**/predict#answer")
    assert violations(page) == []
