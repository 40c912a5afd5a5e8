"""What tests share: which are left out on a machine that lacks something, said in the closing lines."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from chalice.test import Client

    from simulator.server import LocalEndpoint

pytest_plugins = ["tests.synthetic_run"]
NEEDS = {  # marker -> (is it here, what it is and how to get it)
    "needs_archive": (
        "VERDICT_ARCHIVE" in os.environ,
        "the labelled reviews: set VERDICT_ARCHIVE to the path of aclImdb_v1.tar.gz",
    ),
    "needs_chromium": (
        shutil.which("chromium") is not None,
        "Chromium: install your system's `chromium` package",
    ),
}
_left_out: Counter[str] = Counter()


def pytest_configure(config: pytest.Config) -> None:
    for marker, (_, what) in NEEDS.items():
        config.addinivalue_line("markers", f"{marker}: needs {what}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that need what this machine lacks; `pytest_terminal_summary` says so."""
    lacking = {marker for marker, (here, _) in NEEDS.items() if not here}
    dropped = [item for item in items if any(item.get_closest_marker(marker) for marker in lacking)]
    for item in dropped:
        _left_out.update(marker for marker in lacking if item.get_closest_marker(marker))
    items[:] = [item for item in items if item not in dropped]
    config.hook.pytest_deselected(items=dropped)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for marker, count in sorted(_left_out.items()):
        terminalreporter.write_line(f"Left out: {count} tests that need {NEEDS[marker][1]}.")


@pytest.fixture(scope="session")
def archive() -> Path:
    """The official archive of labelled reviews, for tests marked `needs_archive`."""
    return Path(os.environ["VERDICT_ARCHIVE"])


@pytest.fixture(scope="session")
def running_endpoint() -> Iterator["LocalEndpoint"]:
    """The packaged release's model behind a SageMaker endpoint on a free loopback port, for the whole session."""
    from chalicelib import release
    from simulator.server import LocalEndpoint, packaged_container

    name = f"verdict-dev-{release.load().encoder.fingerprint}"
    with LocalEndpoint(name, packaged_container()) as endpoint:
        yield endpoint


@pytest.fixture
def local_endpoint(running_endpoint: "LocalEndpoint") -> Iterator["LocalEndpoint"]:
    """The same endpoint, which may be told to misbehave in this test: it behaves again afterwards."""
    yield running_endpoint
    running_endpoint.behave()


@pytest.fixture(scope="module")
def client(running_endpoint: "LocalEndpoint") -> Iterator["Client"]:
    """Chalice's test client on the real app, which asks the local endpoint through boto3."""
    from chalice.test import Client

    import app

    before = dict(os.environ)
    os.environ.update(
        AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=running_endpoint.url,
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_DEFAULT_REGION="us-east-1",
    )
    app.endpoint.cache_clear()
    with Client(app.app, stage_name="dev", project_dir=str(Path(app.__file__).parent)) as made:
        yield made
    app.endpoint.cache_clear()
    os.environ.clear()
    os.environ.update(before)
