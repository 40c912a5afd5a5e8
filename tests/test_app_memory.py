"""No request leaves memory behind, whatever its kind and however the endpoint fails."""

import gc
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from chalice.test import Client

from chalicelib.endpoint import Endpoint
from chalicelib.endpoint_errors import EndpointError
from simulator.faults.endpoint_faults import KINDS
from tests.chalicelib.test_endpoint import client_for

if TYPE_CHECKING:
    from simulator.endpoint.local_endpoint import LocalEndpoint

WARM_UP, CALLS, TRIES = 5, 20, 4
clear_caches = getattr(sys, "_clear_internal_caches", None) or sys._clear_type_cache  # of attributes' names
REVIEW = "A waste of time. The music is good, though!"
BODIES = {  # kind of request -> (content type, body)
    "text": ("text/plain", REVIEW),
    "explained": ("application/json", json.dumps({"review": REVIEW, "explain": True})),
    "batch": ("application/json", json.dumps({"reviews": [REVIEW, "", 7] * 10, "explain": False})),
    "malformed": ("application/json", "{"),
    "unsupported": ("image/png", REVIEW),
}


def keeps_memory(call: Callable[[], object]) -> bool:
    """Return whether every call leaves a block of Python's allocator behind.

    A leak is in each of several tries; the work of another thread, or an import at the first call, is not.
    """
    for _ in range(WARM_UP):
        call()
    return all(_blocks_kept(call) >= CALLS for _ in range(TRIES))


def _blocks_kept(call: Callable[[], object]) -> int:
    """Return the number of blocks that some calls leave behind."""
    before = _blocks()
    for _ in range(CALLS):
        call()
    return _blocks() - before


def _blocks() -> int:
    """Return the number of blocks in use, without garbage and the interpreter's own caches."""
    gc.collect()
    clear_caches()
    return sys.getallocatedblocks()


def test_a_leak_is_found() -> None:
    kept: list[object] = []  # more than other threads free meanwhile
    assert keeps_memory(lambda: kept.extend(object() for _ in range(10)))


@pytest.mark.parametrize("kind", BODIES)
def test_a_request_keeps_no_memory(client: Client, kind: str) -> None:
    content_type, body = BODIES[kind]
    headers = {"Content-Type": content_type}
    assert not keeps_memory(lambda: client.http.post("/predict", headers=headers, body=body.encode()))


@pytest.mark.parametrize("fault", [kind for kind in KINDS if kind != "slow"] + ["slow:0.05"])
def test_a_failed_call_keeps_no_memory(local_endpoint: "LocalEndpoint", fault: str) -> None:
    client = client_for(local_endpoint.url, read_timeout_seconds=0.02 if fault.startswith("slow") else 5.0)
    endpoint = Endpoint(client, local_endpoint.name, pause=lambda seconds: None)
    local_endpoint.inject_fault(fault)

    def call() -> None:
        with pytest.raises(EndpointError):
            endpoint.scores(["0:1"], lambda: 28.0)

    assert not keeps_memory(call)
    client.close()
