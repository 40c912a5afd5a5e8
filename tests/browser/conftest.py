"""Fixtures of the browser tests: Chromium, and the app with its endpoint, each on a free port of this machine."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from chalicelib import release
from chalicelib.endpoint import endpoint_name
from devserver.run import EndpointAddress, answers, app_environment, available_port, wait_until_ready
from simulator.endpoint.local_endpoint import LocalEndpoint, packaged_container
from simulator.processes import child

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
REPORT_CSP = "addEventListener('securitypolicyviolation', (event) => console.error('CSP', event.violatedDirective))"
REFUSED = "Failed to load resource: the server responded with a status of"  # Chromium's message for any 4xx and 5xx
OFFLINE = "Failed to load resource: net::ERR_INTERNET_DISCONNECTED"


@pytest.fixture(scope="session")
def running() -> Iterator[tuple[str, LocalEndpoint]]:
    """Start the app and its endpoint once; returns the app's address and the endpoint."""
    port = available_port(0)
    name = endpoint_name(release.load().encoder.fingerprint)
    chalice = ["-m", "devserver.chalice_local", "local", "--stage", "dev", "--no-autoreload", "--port", str(port)]
    with (
        LocalEndpoint(name, packaged_container()) as endpoint,
        child(chalice, app_environment(os.environ, EndpointAddress(name, endpoint.port))) as app,
    ):
        wait_until_ready(app, "The app", lambda: answers(port, "/"), threading.Event())
        yield f"http://127.0.0.1:{port}/", endpoint


@pytest.fixture
def endpoint(running: tuple[str, LocalEndpoint]) -> Iterator[LocalEndpoint]:
    """The app's endpoint; its misbehaviour ends with the test."""
    yield running[1]
    running[1].clear_faults()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser, running: tuple[str, LocalEndpoint]) -> Iterator[Callable[..., Page]]:
    """Open the page in a new browser profile; the test fails if its console has errors or warnings at the end.

    `script` runs before the page's scripts; other options are those of a Playwright context.
    """
    complaints: list[str] = []

    def record(text: str) -> None:
        if not text.startswith((REFUSED, OFFLINE)):
            complaints.append(text)

    with ExitStack() as contexts:

        def open_new(script: str = "", **options: Any) -> Page:
            context = browser.new_context(**options)
            contexts.callback(context.close)
            context.add_init_script(f"{REPORT_CSP};{script}")
            context.set_default_timeout(10_000)
            page = context.new_page()
            page.on("console", lambda message: record(message.text) if message.type in {"error", "warning"} else None)
            page.on("pageerror", lambda error: record(str(error)))
            page.goto(running[0])
            return page

        yield open_new
    assert complaints == []
