"""A small soak test, and the completeness of its faults."""

import io

from botocore import exceptions
from rich.console import Console

from chalicelib.endpoint_errors import FAULTS
from simulator.faults import endpoint_faults
from soak.cases import SHARES
from soak.faults import ENDPOINT_KILLED, MISCONFIGURATIONS, WORKER_KILLED, all_faults, error_codes
from soak.report import print_report
from soak.run import Limits, run
from soak.tally import BARE, CONSTANT, RIGHT, UNIQUE

LIMITS = Limits(requests=250, seconds=60, with_fault=4, between_first=20, without_fault=20)
CHOSEN = ("throttled", "garbage", "nan", "cut", "ExpiredTokenException")


def test_the_faults_are_those_of_the_simulator_and_of_the_fault_table() -> None:
    names = [fault.name for fault in all_faults()]
    assert {name.partition(":")[0] for name in names} == {*endpoint_faults.KINDS, *error_codes()}
    classes = FAULTS.keys() - set(error_codes())
    assert all(hasattr(exceptions, name) or name in ("ConnectionError", "Exception") for name in classes)


def test_a_small_run_has_no_wrong_answer_and_no_unexplained_error() -> None:
    tally = run(LIMITS, [fault for fault in all_faults() if fault.name in CHOSEN])
    console = Console(file=io.StringIO(), width=120)
    print_report(console, tally, 1.0)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert not tally.failed, printed
    assert tally.faults.keys() == {*CHOSEN, *MISCONFIGURATIONS, ENDPOINT_KILLED, WORKER_KILLED}
    assert {"bad-answer", "endpoint-busy", "endpoint-down", "function-failed", "misconfigured"} <= tally.outcomes.keys()
    assert tally.outcomes[RIGHT] > LIMITS.requests / 2
    assert tally.memory.keys() == {UNIQUE, CONSTANT}
    assert tally.milliseconds.keys() & {*SHARES, BARE} >= {"short text", "explained", BARE}
    assert "Not reached: AccessDenied" in printed
