"""Shared fixtures, and deselection of tests whose requirements this machine lacks."""

import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from training.spark.session import JAVA, missing_requirement

if TYPE_CHECKING:
    from chalice.test import Client

    from simulator.endpoint.local_endpoint import LocalEndpoint

pytest_plugins = ["tests.synthetic_run"]
settings.register_profile("verdict", deadline=None)  # a shared machine can pause for longer than any deadline
settings.load_profile("verdict")

REQUIREMENTS = {  # marker -> (is it available, what it is and how to get it)
    "needs_archive": (
        "VERDICT_ARCHIVE" in os.environ,
        "the labelled reviews: set VERDICT_ARCHIVE to the path of aclImdb_v1.tar.gz",
    ),
    "needs_treebank": (
        "VERDICT_TREEBANK" in os.environ,
        "the Sentiment Treebank: set VERDICT_TREEBANK to trainDevTestTrees_PTB.zip or a folder with its files",
    ),
    "needs_chromium": (
        shutil.which("chromium") is not None,
        "Chromium: install your system's `chromium` package",
    ),
    "needs_spark": (
        not missing_requirement(),
        f"Apache Spark: install requirements-spark.txt, and Java {JAVA} or newer",
    ),
}
_deselected: Counter[str] = Counter()


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and let child processes react to Ctrl-C even where the shell ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in a background job of a shell
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for marker, (_, requirement) in REQUIREMENTS.items():
        config.addinivalue_line("markers", f"{marker}: needs {requirement}")
    config.addinivalue_line("markers", "slow: takes minutes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests that need what this machine lacks, for `pytest_terminal_summary`; put slow tests first."""
    missing = {marker for marker, (available, _) in REQUIREMENTS.items() if not available}
    dropped = [item for item in items if any(item.get_closest_marker(marker) for marker in missing)]
    for item in dropped:
        _deselected.update(marker for marker in missing if item.get_closest_marker(marker))
    items[:] = [item for item in items if item not in dropped]
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)  # so that no worker waits for them at the end
    config.hook.pytest_deselected(items=dropped)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name long bytes by their length: parallel workers must collect the same names, and archives contain times."""
    return f"{argname}-{len(val)}-bytes" if isinstance(val, bytes) and len(val) > 20 else None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send this worker's counts to the process that prints the summary (pytest-xdist)."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["deselected"] = dict(_deselected)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Receive a worker's counts; every worker collects, and deselects, the same tests."""
    _deselected.update(Counter(getattr(node, "workeroutput", {}).get("deselected", {})) - _deselected)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for marker, count in sorted(_deselected.items()):
        terminalreporter.write_line(f"Not run: {count} tests that need {REQUIREMENTS[marker][1]}.")


@pytest.fixture(scope="session")
def treebank() -> Path:
    """The Sentiment Treebank, for tests marked `needs_treebank`."""
    return Path(os.environ["VERDICT_TREEBANK"])


@pytest.fixture(scope="session")
def archive() -> Path:
    """The official archive of labelled reviews, for tests marked `needs_archive`."""
    return Path(os.environ["VERDICT_ARCHIVE"])


@pytest.fixture(scope="session")
def running_endpoint() -> Iterator["LocalEndpoint"]:
    """A simulated SageMaker endpoint with the packaged model, shared by the session."""
    from chalicelib import release
    from simulator.endpoint.local_endpoint import LocalEndpoint, packaged_container

    name = f"verdict-dev-{release.load().encoder.fingerprint}"
    with LocalEndpoint(name, packaged_container()) as endpoint:
        yield endpoint


@pytest.fixture
def local_endpoint(running_endpoint: "LocalEndpoint") -> Iterator["LocalEndpoint"]:
    """The shared endpoint; faults injected by a test are removed afterwards."""
    yield running_endpoint
    running_endpoint.clear_faults()


@pytest.fixture(scope="module")
def client(running_endpoint: "LocalEndpoint") -> Iterator["Client"]:
    """Chalice's test client for the app, which calls the simulated endpoint through boto3."""
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
