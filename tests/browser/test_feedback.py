"""Tests of feedback in the browser, with and without JavaScript, against a table on the simulated AWS."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from chalicelib import release
from chalicelib.endpoint import endpoint_name
from devserver.run import EndpointAddress, answers, app_environment, available_port, wait_until_ready
from operations.aws.command import Aws
from operations.feedback import table
from operations.feedback.table import FeedbackRecord
from simulator.aws import SimulatedAws
from simulator.endpoint.local_endpoint import LocalEndpoint
from simulator.processes import child
from tests.browser.axe import violations
from tests.browser.conftest import REPORT_CSP
from tests.synthetic_run import command_context

pytestmark = pytest.mark.needs_chromium
STAGE = "browser"
REVIEW = "\nAwful, a boring waste of time.\n\n“The worst” movie & <b>ever</b>. "
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


@pytest.fixture(scope="module")
def site(running_aws: SimulatedAws, running_endpoint: LocalEndpoint) -> Iterator[str]:
    """Start the app with feedback and sampling on; returns its address."""
    aws = command_context(running_aws)
    port, name = available_port(0), endpoint_name(release.load().encoder.fingerprint)
    settings = {
        "AWS_ENDPOINT_URL_DYNAMODB": running_aws.url,
        "VERDICT_FEEDBACK": table.ensure(aws, STAGE),
        "VERDICT_COLLECT_SHARE": "0.000001",
    }
    table.ensure_key(aws.account, settings["VERDICT_FEEDBACK"])
    environment = app_environment(os.environ, EndpointAddress(name, running_endpoint.port)) | settings
    chalice = ["-m", "devserver.chalice_local", "local", "--stage", "dev", "--no-autoreload", "--port", str(port)]
    with child(chalice, environment) as app:
        wait_until_ready(app, "The app", lambda: answers(port, "/"), threading.Event())
        yield f"http://127.0.0.1:{port}/"
    table.delete(aws, settings["VERDICT_FEEDBACK"], STAGE)


@pytest.fixture
def open_site(browser: Browser, site: str) -> Iterator[Callable[..., Page]]:
    """Open the page in a new browser profile, and judge a review; options are those of a Playwright context."""
    with ExitStack() as contexts:

        def open_new(review: str = REVIEW, **options: object) -> Page:
            context = browser.new_context(**options)  # type: ignore[arg-type]
            contexts.callback(context.close)
            context.add_init_script(REPORT_CSP)
            context.set_default_timeout(10_000)
            page = context.new_page()
            page.goto(site)
            page.locator("#review").fill(review)
            page.get_by_role("button", name="Judge", exact=True).click()
            expect(page.locator("article.verdict")).to_be_visible()
            return page

        yield open_new


@pytest.fixture
def stored(aws: Aws) -> Callable[[], dict[str, FeedbackRecord]]:
    """A function that returns the records by review."""
    return lambda: {record.review: record for record in table.read_feedback(aws, f"verdict-{STAGE}-feedback")}


@pytest.fixture
def faults(simulated: SimulatedAws) -> Iterator[SimulatedAws]:
    """The simulated AWS; faults injected by a test are removed afterwards."""
    yield simulated
    simulated.fault_injector.clear()


@pytest.mark.parametrize("scripted", [True, False], ids=["with-script", "without-script"])
def test_a_correction_is_stored_with_the_whole_review(
    open_site: Callable[..., Page], stored: Callable[[], dict[str, FeedbackRecord]], scripted: bool
) -> None:
    review = f"{scripted}{REVIEW}"
    page = open_site(review, java_script_enabled=scripted)
    expect(page.get_by_role("heading", name="Was this right?")).to_be_visible()
    assert review not in stored()
    page.get_by_role("button", name="No, it is mixed").click()
    expect(page.get_by_text("Your answer is kept until")).to_be_visible()
    assert (stored()[review].verdict, stored()[review].correction) == ("negative", "mixed")
    expect(page.locator("#review")).to_have_value(review)
    expect(page.get_by_role("heading", name="Negative")).to_be_visible(visible=scripted)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible(visible=not scripted)


def test_yes_stores_the_verdicts_own_label(
    open_site: Callable[..., Page], stored: Callable[[], dict[str, FeedbackRecord]]
) -> None:
    page = open_site("One of the best films I have ever seen.")
    buttons = page.locator("form.feedback button")
    assert buttons.all_inner_texts() == ["Yes", "No, it is negative", "No, it is mixed"]
    buttons.first.click()
    expect(buttons).to_have_count(0)
    assert stored()["One of the best films I have ever seen."].correction == "positive"


def test_an_unsure_verdict_offers_the_labels_only(open_site: Callable[..., Page]) -> None:
    page = open_site("Xyzzyq blorg.")
    expect(page.get_by_role("heading", name="Which is it?")).to_be_visible()
    assert page.locator("form.feedback button").all_inner_texts() == ["Positive", "Negative", "Mixed"]


@pytest.mark.parametrize("scripted", [True, False], ids=["with-script", "without-script"])
def test_nothing_is_lost_if_the_table_is_throttled(
    open_site: Callable[..., Page], faults: SimulatedAws, scripted: bool
) -> None:
    page = open_site(java_script_enabled=scripted)
    faults.fault_injector.inject("PutItem", "throttled")
    page.get_by_role("button", name="No, it is positive").click()
    expect(page.get_by_text("Wait a few seconds, then send it again.")).to_be_visible()
    expect(page.locator("#review")).to_have_value(REVIEW)
    faults.fault_injector.clear()
    if not scripted:
        page.get_by_role("button", name="Judge", exact=True).click()
    page.get_by_role("button", name="No, it is positive").click()
    expect(page.get_by_text("Your answer is kept until")).to_be_visible()


def test_a_lost_connection_keeps_the_buttons(open_site: Callable[..., Page]) -> None:
    page = open_site()
    page.context.set_offline(True)
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_text("Your answer could not be sent.")).to_be_visible()
    page.context.set_offline(False)
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_text("Your answer is kept until")).to_be_visible()


def test_what_is_kept_is_stated_before_anything_is_sent(open_site: Callable[..., Page]) -> None:
    requests: list[str] = []
    page = open_site()
    page.on("request", lambda request: requests.append(request.url))
    notice = page.locator("#feedback-notice")
    expect(notice).to_contain_text("The operator of this site keeps them")
    expect(notice).to_contain_text("after 90 days")
    expect(page.get_by_role("button", name="Yes")).to_have_accessible_description(notice.inner_text())
    above, box = page.locator("#sampling").bounding_box(), page.locator("#review").bounding_box()
    assert above
    assert box
    assert above["y"] < box["y"]
    assert requests == []


def test_several_reviews_have_no_buttons(open_site: Callable[..., Page]) -> None:
    page = open_site()
    page.get_by_text("Many reviews…").click()
    page.get_by_label("One review per line").check()
    page.locator("#predict button.main").click()
    expect(page.locator("#answer tbody.rows tr").first).to_be_visible()
    expect(page.locator("form.feedback")).to_have_count(0)


@pytest.mark.parametrize(
    "options", [{}, PHONE, {"java_script_enabled": False}], ids=["desktop", "phone", "without-script"]
)
def test_axe_finds_no_violations_before_and_after(open_site: Callable[..., Page], options: dict[str, object]) -> None:
    page = open_site(**{**options, "java_script_enabled": True})
    if "java_script_enabled" in options:
        page.route("**/{app,feedback}.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
        page.goto(page.url)
        page.locator("#review").fill(REVIEW)
        page.get_by_role("button", name="Judge", exact=True).click()
        page.wait_for_url("**/predict#answer")
    for press in (False, True):
        if press:
            page.get_by_role("button", name="Yes").click()
            expect(page.get_by_text("Your answer is kept until")).to_be_visible()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
