"""The deployment package that the real `chalice package` makes, run by the real Lambda runtime client."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from simulator.apps.lambda_package import package_project, unpack
from simulator.apps.lambda_runtime import LambdaFunction, provide_runtime

if TYPE_CHECKING:
    from simulator.server import LocalEndpoint

LARGEST_ZIP = 3_000_000  # bytes


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
    with LambdaFunction(package, runtime, "app.app", environment) as made:
        yield made


def event(method: str, route: str, body: str | None = None, **headers: str) -> dict[str, Any]:
    return {
        "requestContext": {
            "httpMethod": method,
            "resourcePath": route,
            "path": f"/dev{route}",
            "requestId": "gateway-id",
        },
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "pathParameters": {},
        "stageVariables": None,
        "multiValueQueryStringParameters": None,
        "body": body,
        "isBase64Encoded": False,
    }


def test_the_zip_is_small_and_holds_what_answers_need(zipped: Path) -> None:
    with zipfile.ZipFile(zipped) as archive:
        names = set(archive.namelist())
    assert zipped.stat().st_size < LARGEST_ZIP
    assert names >= {
        "app.py",
        "chalicelib/text.py",
        "chalicelib/release/vocabulary.txt",
        "static/index.html",
        "static/style.css",
        "chalice/app.py",
        "jinja2/environment.py",
    }
    assert not {name for name in names if name.startswith(("training", "model", "boto", "xgboost", "tests"))}


def test_the_package_serves_the_page_from_its_own_folder(function: LambdaFunction) -> None:
    answer = function.invoke(event("GET", "/"))
    assert answer["statusCode"] == 200
    assert '<base href="/dev/">' in answer["body"]
    assert "<form" in answer["body"]


def test_the_package_judges_reviews_through_the_endpoint(function: LambdaFunction) -> None:
    answer = function.invoke(
        event("POST", "/predict", "One of the best films I have ever seen", content_type="text/plain")
    )
    assert (answer["statusCode"], answer["body"]) == (200, "1")


def test_the_package_tells_faults_of_the_endpoint(function: LambdaFunction, local_endpoint: "LocalEndpoint") -> None:
    local_endpoint.misbehave("validation")
    answer = function.invoke(event("POST", "/predict", "A film", content_type="text/plain", accept="text/html"))
    assert answer["statusCode"] == 503
    assert "A film" in answer["body"]


def test_the_bytecode_in_the_package_is_what_python_imports(package: Path) -> None:
    code = "import app, chalice.app, jinja2, chalicelib.text; print(app.__cached__, jinja2.__cached__)"
    ran = subprocess.run(
        [sys.executable, "-S", "-v", "-B", "-c", code], cwd=package, capture_output=True, text=True, check=True
    )
    shipped = [line for line in ran.stderr.splitlines() if "matches" in line and str(package) in line]
    assert {Path(line.split()[-1]).name for line in shipped} >= {"app.py", "text.py", "environment.py"}
