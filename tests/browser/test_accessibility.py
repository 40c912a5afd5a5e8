"""axe-core finds nothing, in either theme, on any face of the page."""

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from simulator.server import LocalEndpoint

pytestmark = pytest.mark.needs_chromium

AXE = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
MIXED = "The acting is superb and wonderful. The story is awful, a waste! I don't know. 8/10, or 2/10 for the rest."
Face = Callable[[Page], None]


def empty(page: Page) -> None:
    expect(page.locator("#review")).to_be_visible()


def answer(page: Page) -> None:
    page.locator("#review").fill(MIXED)
    page.get_by_role("button", name="Judge it").click()
    page.get_by_text("The same as tables").click()
    page.get_by_text("Ask the same from a terminal").click()


def warned(page: Page) -> None:
    page.locator("#review").fill("Xyzzyq blorg.")
    page.get_by_role("button", name="Judge it").click()
    expect(page.locator("#answer .warnings")).to_be_visible()


def error(page: Page) -> None:
    page.locator("#review").fill(MIXED)
    page.get_by_role("button", name="Judge it").click()
    expect(page.get_by_role("alert")).to_be_visible()


def table(page: Page) -> None:
    page.locator("#review").fill(
        f"{MIXED}\nAwful. The worst waste of time.\nXyzzyq.\n\u200b\nOne of the best films ever"
    )
    page.get_by_label("Several reviews").check()
    page.get_by_role("button", name="Judge it").click()
    page.get_by_role("button", name="Negative").click()
    expect(page.get_by_role("button", name="Download as CSV")).to_be_visible()


def stopped(page: Page) -> None:
    page.locator("#review").fill(MIXED)
    page.get_by_label("Several reviews").check()
    page.get_by_role("button", name="Judge it").click()
    expect(page.get_by_role("alert")).to_be_visible()


def violations(page: Page) -> list[Any]:
    page.evaluate(AXE)
    found = page.evaluate("axe.run()")["violations"]
    return [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found]


@pytest.mark.parametrize("face", [empty, answer, warned, error, table, stopped], ids=lambda face: face.__name__)
def test_axe_finds_nothing_in_either_theme(open_page: Callable[..., Page], endpoint: LocalEndpoint, face: Face) -> None:
    if face in {error, stopped}:
        endpoint.misbehave("not-ready")
    page = open_page(color_scheme="light")
    face(page)
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []


@pytest.mark.parametrize("face", [answer, table], ids=lambda face: face.__name__)
def test_axe_finds_nothing_on_the_page_as_the_server_sends_it(open_page: Callable[..., Page], face: Face) -> None:
    page = open_page()
    page.route("**/app.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.reload()
    page.locator("#review").fill(f"{MIXED}\nXyzzyq.")
    page.get_by_label("Several reviews").set_checked(face is table)
    page.get_by_role("button", name="Judge it").click()
    page.wait_for_url("**/predict#answer")
    assert violations(page) == []
