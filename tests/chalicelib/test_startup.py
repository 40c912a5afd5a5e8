import gc
from collections.abc import Iterator

import pytest

from chalicelib.startup import excluded_from_gc


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_the_collector_is_disabled_inside_the_block() -> None:
    with excluded_from_gc():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_the_collector_does_not_track_objects_of_the_block() -> None:
    with excluded_from_gc():
        created: list[list[int]] = [[]]
    assert not any(tracked is created for tracked in gc.get_objects())


def test_the_collector_is_enabled_after_an_exception() -> None:
    with pytest.raises(LookupError), excluded_from_gc():
        raise LookupError
    assert gc.isenabled()


def test_a_disabled_collector_stays_disabled() -> None:
    gc.disable()
    with excluded_from_gc():
        pass
    assert not gc.isenabled()
