"""Shared fixtures of the simulator's tests."""

import pytest

from simulator.container.serving import Container
from simulator.endpoint.local_endpoint import packaged_container


@pytest.fixture(scope="session")
def packaged() -> Container:
    """The packaged release's model in a container."""
    return packaged_container()
