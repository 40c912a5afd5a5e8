"""Tests of the page with JavaScript: answers without a reload, history, the curl command, keyboard and theme."""

import json
import subprocess
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from simulator.endpoint.local_endpoint import LocalEndpoint

pytestmark = pytest.mark.needs_chromium

STORAGE_BLOCKED = (
    "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"
)
HOSTILE = "It's \"fine\" $HOME `id` \\ !! 50% ; # \n second line, <b>é🎬</b> ''"


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page()


def submit(page: Page, text: str) -> None:
    page.locator("#review").fill(text)
    page.get_by_role("button", name="Judge").click()


def mark_this_load(page: Page) -> None:
    page.evaluate("window.loadedOnce = true")


def was_not_reloaded(page: Page) -> bool:
    return bool(page.evaluate("window.loadedOnce === true"))


@pytest.mark.parametrize(
    ("review", "verdict"),
    [
        ("Awful. The worst waste of time.", "Negative"),
        ("One of the best films I have ever seen", "Positive"),
        ("Xyzzyq blorg.", "Not sure"),
    ],
)
def test_a_review_is_judged_without_a_reload(page: Page, review: str, verdict: str) -> None:
    mark_this_load(page)
    submit(page, review)
    expect(page.locator("#answer h2")).to_contain_text(verdict)
    expect(page.get_by_role("status")).to_contain_text(verdict)
    expect(page.locator("#review")).to_have_value(review)
    assert verdict in page.title()
    assert was_not_reloaded(page)


def test_an_unavailable_endpoint_is_reported_and_the_text_kept(page: Page, endpoint: LocalEndpoint) -> None:
    mark_this_load(page)
    endpoint.inject_fault("cut")
    submit(page, "A fine film.")
    expect(page.get_by_role("alert")).to_contain_text("The model is unavailable")
    expect(page.get_by_role("alert")).to_contain_text("again in 5 seconds")
    expect(page.locator("#review")).to_have_value("A fine film.")
    endpoint.clear_faults()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("article.verdict")).to_be_visible()
    assert was_not_reloaded(page)


def test_an_unreachable_site_is_reported_and_the_text_kept(page: Page) -> None:
    page.context.set_offline(True)
    submit(page, "A fine film.")
    expect(page.get_by_role("alert")).to_contain_text("The site cannot be reached")
    expect(page.locator("#review")).to_have_value("A fine film.")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("article.verdict")).to_be_visible()


def test_a_response_other_than_the_page_is_reported(page: Page) -> None:
    page.route("**/predict", lambda route: route.fulfill(status=502, body='{"message": "Internal server error"}'))
    submit(page, "A fine film.")
    expect(page.get_by_role("alert")).to_contain_text("The site cannot be reached")


def test_a_request_without_a_response_times_out(page: Page) -> None:
    page.clock.install()
    page.route("**/predict", lambda route: None)
    with page.expect_request("**/predict"):
        submit(page, "A fine film.")
    page.clock.fast_forward(36_000)
    expect(page.get_by_role("alert")).to_contain_text("The site cannot be reached")
    expect(page.locator("#review")).to_have_value("A fine film.")


def test_a_new_request_replaces_the_current_request(page: Page, endpoint: LocalEndpoint) -> None:
    endpoint.inject_fault("slow:3", times=1)
    with page.expect_request("**/predict"):
        submit(page, "Awful. The worst waste of time.")
    expect(page.get_by_role("button", name="Judging…")).to_be_visible()
    page.locator("#review").fill("One of the best films I have ever seen")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#answer h2")).to_contain_text("Positive")
    expect(page.get_by_role("button", name="Judge")).to_be_visible()


def test_the_history_is_stored_until_cleared(page: Page) -> None:
    submit(page, "Awful. The worst waste of time.")
    history = page.get_by_role("region", name="History")
    expect(history.get_by_role("listitem")).to_have_count(1)
    page.reload()
    expect(history).to_contain_text("Negative")
    page.locator("#review").fill("")
    history.get_by_role("button", name="Awful. The worst waste of time.").click()
    expect(page.locator("#answer h2")).to_contain_text("Negative")
    expect(page.locator("#review")).to_have_value("Awful. The worst waste of time.")
    expect(history.get_by_role("listitem")).to_have_count(1)
    history.get_by_role("button", name="Clear").click()
    expect(history).to_be_hidden()
    page.reload()
    expect(history).to_be_hidden()


def test_the_history_has_no_probability_without_known_words(page: Page) -> None:
    page.locator("#review").fill("Xyzzyq plugh.")
    page.get_by_role("button", name="Judge").click()
    history = page.get_by_role("region", name="History")
    expect(history.locator(".tag")).to_have_text("Not sure")


def test_the_history_has_at_most_twenty_entries(page: Page) -> None:
    kept = [{"text": f"Review {number}", "label": "positive", "score": 0.9} for number in range(20)]
    page.evaluate("(kept) => localStorage.setItem('verdict-history', JSON.stringify(kept))", kept)
    page.reload()
    submit(page, "Awful. The worst waste of time.")
    items = page.get_by_role("region", name="History").get_by_role("listitem")
    expect(items.first).to_contain_text("Awful")
    expect(items).to_have_count(20)


@pytest.mark.parametrize("kept", ["not json", '{"a": 1}', '[null, 7, {"text": 3}, {"text": "<img src=x>"}]'])
def test_a_damaged_history_does_no_harm(page: Page, kept: str) -> None:
    page.evaluate("(kept) => localStorage.setItem('verdict-history', kept)", kept)
    page.reload()
    submit(page, "Awful. The worst waste of time.")
    expect(page.locator("#answer h2")).to_contain_text("Negative")
    assert page.locator("img[src=x]").count() == 0


def test_the_page_works_with_blocked_storage(open_page: Callable[..., Page]) -> None:
    page = open_page(STORAGE_BLOCKED)
    submit(page, "Awful. The worst waste of time.")
    expect(page.locator("#answer h2")).to_contain_text("Negative")
    expect(page.get_by_role("region", name="History")).to_contain_text("Awful")
    page.get_by_role("button", name="Theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_the_curl_command_returns_the_same_score_for_any_text(page: Page) -> None:
    submit(page, HOSTILE)
    page.get_by_text("Use the API (curl)").click()
    command = page.locator("#answer [data-part=curl] code").inner_text()
    curl = subprocess.run(["sh", "-c", command], capture_output=True, check=True, timeout=20)
    score = float(page.locator("article.verdict").get_attribute("data-score") or "nan")
    assert json.loads(curl.stdout)["score"] == pytest.approx(score)


def test_the_curl_command_can_be_copied(open_page: Callable[..., Page]) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    submit(page, HOSTILE)
    page.get_by_text("Use the API (curl)").click()
    page.get_by_role("button", name="Copy the command").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#answer [data-part=curl] code").inner_text()


def test_every_control_is_reachable_by_keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the review")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#review")).to_be_focused()
    page.keyboard.type("Awful. The worst waste of time.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#answer h2")).to_contain_text("Negative")
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.innerText || document.activeElement.name || ''").strip())
    wanted = {
        "Many reviews…",
        "Judge",
        "Clear",
        "Copy link",
        "Show the JSON",
        "Show the numbers",
        "Use the API (curl)",
        "Clear history",
    }
    assert wanted <= reached


def test_the_focus_is_visible(page: Page) -> None:
    page.locator("#review").focus()
    for _ in range(4):
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_the_selected_theme_is_stored(page: Page) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    button = page.get_by_role("button", name="Theme")
    button.click()
    button.click()
    expect(button).to_have_text("Theme: dark")
    dark = page.evaluate(background)
    assert dark != light
    page.reload()
    assert page.evaluate(background) == dark
    button.click()
    assert page.evaluate(background) == light


def test_the_page_fits_a_small_phone(open_page: Callable[..., Page]) -> None:
    page = open_page(viewport={"width": 360, "height": 640})
    submit(page, "Superb. " + "unbreakable" * 60 + ". Awful!")
    expect(page.locator("article.verdict")).to_be_visible()
    page.get_by_text("Show the numbers").click()
    page.get_by_text("Use the API (curl)").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_long_review_is_counted_and_cut_with_a_warning(page: Page) -> None:
    submit(page, "🎬" + "good film " * 2_000)
    expect(page.locator("#counter")).to_contain_text("20,001 of 20,000 characters")
    expect(page.locator("#answer .warnings")).to_contain_text("Only the first 20,000 characters were read")
