"""Small functions in the real Lambda runtime client."""

import io
import os
import select
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from simulator.apps.functions import Functions
from simulator.apps.lambda_runtime import FunctionError
from simulator.moto.moto_services import Function

CODE = """
import os
def handler(event, context):
    print("invoked", event)
    if event == "raise":
        raise ValueError("as requested")
    if event == "exit":
        os._exit(1)
    return [os.getpid(), os.environ.get("GREETING"), context.function_name]
"""


def zipped(code: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("small.py", code)
    return packed.getvalue()


SMALL = Function("small", zipped(CODE), "small.handler", 256, (("GREETING", "hello"),))
ASKED_ONCE = """
import sys
from tests.simulator.apps.test_functions import SMALL
from simulator.apps.functions import Functions
functions = Functions(lambda region, name: SMALL, lambda region: {}, lambda region, name: lambda line: None)
print(functions.invoke("us-east-1", "small", "any")[0], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def known() -> dict[str, Function]:
    """The functions that exist, by name."""
    return {"small": SMALL}


@pytest.fixture
def printed() -> list[str]:
    return []


@pytest.fixture
def functions(known: dict[str, Function], printed: list[str]) -> Iterator[Functions]:
    made = Functions(lambda region, name: known.get(name), lambda region: {}, lambda region, name: printed.append)
    yield made
    made.stop()


def test_requests_in_turn_share_a_process(functions: Functions) -> None:
    first = functions.invoke("us-east-1", "small", "any")
    assert first == functions.invoke("us-east-1", "small", "any")
    assert first[1:] == ["hello", "small"]


def test_new_code_and_environment_apply_to_the_next_request(functions: Functions, known: dict[str, Function]) -> None:
    process, _, _ = functions.invoke("us-east-1", "small", "any")
    known["small"] = replace(SMALL, environment=(("GREETING", "hi"),))
    other, greeting, _ = functions.invoke("us-east-1", "small", "any")
    assert (other != process, greeting) == (True, "hi")
    known["small"] = replace(SMALL, code=zipped("def handler(event, context): return 'new'"))
    assert functions.invoke("us-east-1", "small", "any") == "new"


@pytest.mark.parametrize(("event", "message"), [("raise", "as requested"), ("exit", "has ended")])
def test_failure_is_reported_and_the_next_request_succeeds(functions: Functions, event: str, message: str) -> None:
    with pytest.raises(FunctionError, match=message):
        functions.invoke("us-east-1", "small", event)
    assert functions.invoke("us-east-1", "small", "any")[1] == "hello"


def test_output_of_a_process_is_passed_on(functions: Functions, printed: list[str]) -> None:
    functions.invoke("us-east-1", "small", "this")
    functions.stop()
    assert "invoked this" in printed


def test_functions_that_cannot_run_are_reported(functions: Functions, known: dict[str, Function]) -> None:
    known["broken"] = replace(SMALL, name="broken", code=b"no zip")
    for name, message in (("absent", "no function absent"), ("broken", "not a zip")):
        with pytest.raises(FunctionError, match=message):
            functions.invoke("us-east-1", name, "any")


def test_a_process_does_not_outlive_a_simulator_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ASKED_ONCE],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as simulator:
        assert simulator.stdout
        identity = int(simulator.stdout.readline())
        process = os.pidfd_open(identity)
        simulator.kill()
    ended, _, _ = select.select([process], [], [], 60)
    os.close(process)
    assert ended
