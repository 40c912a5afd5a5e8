import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _frozen_heap() -> Iterator[None]:
    """Keep the garbage collector off the objects of earlier tests, which would count in tests of run time."""
    gc.freeze()
    yield
    gc.unfreeze()
