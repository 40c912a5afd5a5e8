import gc
from collections.abc import Iterator

import pytest

from chalicelib.startup import lasting


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_the_collector_rests_while_lasting_things_are_made() -> None:
    with lasting():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_the_collector_never_looks_at_what_was_made() -> None:
    with lasting():
        made: list[list[int]] = [[]]
    assert not any(each is made for each in gc.get_objects())


def test_the_collector_runs_again_after_a_failure() -> None:
    with pytest.raises(LookupError), lasting():
        raise LookupError
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    with lasting():
        pass
    assert not gc.isenabled()
