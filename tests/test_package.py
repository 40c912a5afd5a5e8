"""Tests of the deployment package of `chalice package`, run by the real Lambda runtime client."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simulator.apps.lambda_package import package_project, unpack
from simulator.apps.lambda_runtime import LambdaFunction, provide_runtime
from tests.gateway_events import gateway_event

if TYPE_CHECKING:
    from simulator.endpoint.local_endpoint import LocalEndpoint

MAX_ZIP_BYTES = 3_000_000


@pytest.fixture(scope="module")
def zipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package_project(tmp_path_factory.mktemp("packaging")).archive


@pytest.fixture(scope="module")
def package(zipped: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(zipped, tmp_path_factory.mktemp("task"))


@pytest.fixture(scope="module")
def function(
    package: Path, running_endpoint: "LocalEndpoint", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LambdaFunction]:
    environment = {
        "VERDICT_STAGE": "dev",
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": running_endpoint.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    runtime = provide_runtime(tmp_path_factory.mktemp("runtime"))
    with LambdaFunction(package, runtime, "app.app", environment) as running:
        yield running


def test_the_zip_is_small_and_complete(zipped: Path) -> None:
    with zipfile.ZipFile(zipped) as archive:
        names = set(archive.namelist())
    assert zipped.stat().st_size < MAX_ZIP_BYTES
    assert names >= {
        "app.py",
        "chalicelib/text.py",
        "chalicelib/release/vocabulary.txt",
        "static/api.html",
        "static/index.html",
        "static/style.css",
        "chalice/app.py",
        "jinja2/environment.py",
    }
    assert not {name for name in names if name.startswith(("training", "model", "boto", "xgboost", "tests"))}


def test_the_package_serves_the_page(function: LambdaFunction) -> None:
    response = function.invoke(gateway_event("GET", "/"))
    assert response["statusCode"] == 200
    assert '<base href="/dev/">' in response["body"]
    assert "<form" in response["body"]


def test_the_package_calls_the_endpoint(function: LambdaFunction) -> None:
    response = function.invoke(
        gateway_event("POST", "/predict", "One of the best films I have ever seen", content_type="text/plain")
    )
    assert (response["statusCode"], response["body"]) == (200, "1")


def test_the_package_reports_faults_of_the_endpoint(function: LambdaFunction, local_endpoint: "LocalEndpoint") -> None:
    local_endpoint.inject_fault("validation")
    response = function.invoke(
        gateway_event("POST", "/predict", "A film", content_type="text/plain", accept="text/html")
    )
    assert response["statusCode"] == 503
    assert "A film" in response["body"]


def test_python_imports_the_bytecode_of_the_package(package: Path) -> None:
    code = "import app, chalice.app, jinja2, chalicelib.text; print(app.__cached__, jinja2.__cached__)"
    ran = subprocess.run(
        [sys.executable, "-S", "-v", "-B", "-c", code], cwd=package, capture_output=True, text=True, check=True
    )
    shipped = [line for line in ran.stderr.splitlines() if "matches" in line and str(package) in line]
    assert {Path(line.split()[-1]).name for line in shipped} >= {"app.py", "text.py", "environment.py"}
