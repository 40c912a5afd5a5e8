"""Tests of the page about the API: its examples run, its form sends requests, and everybody can read it."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations

pytestmark = pytest.mark.needs_chromium

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def api(open_page: Callable[..., Page]) -> Callable[..., Page]:
    """Open the main page and follow its link to the page about the API."""

    def open_api(**options: Any) -> Page:
        page = open_page(**options)
        page.get_by_role("link", name="how to use it").click()
        page.wait_for_url("**/api")
        return page

    return open_api


def code(page: Page, name: str) -> str:
    text = page.locator(f'[data-example="{name}"]').text_content()
    assert text
    return text


def output_of(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def send(page: Page, body: str | None = None) -> None:
    if body is not None:
        page.get_by_label("The JSON body").fill(body)
    page.get_by_role("button", name="Send").click()


def test_the_curl_examples_run(api: Callable[..., Page]) -> None:
    page = api()
    assert '"label": "positive"' in output_of("bash", "-c", code(page, "curl-one"))
    several = output_of("bash", "-c", code(page, "curl-several"))
    assert several.index('"label": "positive"') < several.index('"label": "negative"')


def test_the_python_examples_run(api: Callable[..., Page]) -> None:
    page = api()
    assert output_of(sys.executable, "-c", code(page, "python-one")).startswith("positive 0.9")
    assert output_of(sys.executable, "-c", code(page, "python-several")).split() == ["positive", "negative"]


def test_the_javascript_examples_run(api: Callable[..., Page]) -> None:
    page = api()
    printed: list[str] = []
    page.on("console", lambda message: printed.append(message.text))
    for name in ("javascript-one", "javascript-several"):
        page.evaluate(f"(async () => {{ {code(page, name)} }})()")
    assert [line.split()[0] for line in printed] == ["positive", "positive", "negative"]


def test_the_form_shows_the_response(api: Callable[..., Page]) -> None:
    page = api()
    send(page)
    expect(page.get_by_label("Response")).to_contain_text('"label": "positive"')
    expect(page.locator("#try").get_by_role("status")).to_have_text("Status 200, application/json")


def test_the_form_shows_a_problem(api: Callable[..., Page]) -> None:
    page = api()
    send(page, '{"review": 7}')
    expect(page.get_by_label("Response")).to_contain_text("urn:verdict:problem:malformed-body")
    expect(page.locator("#try").get_by_role("status")).to_contain_text("Status 400")


def test_the_form_says_that_there_was_no_response(api: Callable[..., Page]) -> None:
    page = api()
    page.context.set_offline(True)
    send(page)
    expect(page.locator("#try").get_by_role("status")).to_contain_text("There was no response")


def test_an_example_can_be_copied(api: Callable[..., Page]) -> None:
    page = api(permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the curl example for one review").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == code(page, "curl-one")


def test_the_theme_can_be_chosen_here_too(api: Callable[..., Page]) -> None:
    page = api()
    page.get_by_role("button", name="Theme: auto").click()
    expect(page.get_by_role("button", name="Theme: light")).to_be_visible()
    page.get_by_role("link", name="Verdict", exact=True).click()
    expect(page.get_by_role("button", name="Theme: light")).to_be_visible()


def test_the_examples_can_be_read_without_javascript(api: Callable[..., Page]) -> None:
    page = api(java_script_enabled=False)
    expect(page.get_by_text("The form needs JavaScript")).to_be_visible()
    expect(page.locator("#try")).to_be_hidden()
    assert code(page, "curl-one").startswith("curl")


def test_axe_finds_no_violations_in_any_colours(api: Callable[..., Page]) -> None:
    page = api(color_scheme="light")
    send(page)
    expect(page.get_by_label("Response")).to_be_visible()
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []
    page.emulate_media(forced_colors="active")
    assert violations(page) == []


def test_the_page_fits_a_phone(api: Callable[..., Page]) -> None:
    page = api(viewport=PHONE)
    send(page)
    expect(page.get_by_label("Response")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert violations(page) == []
