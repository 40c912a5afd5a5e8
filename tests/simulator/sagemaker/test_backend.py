"""Background work: failures caused by bugs, and the end of all work with the simulator."""

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Queue

import pytest

from simulator.faults.operation_faults import FaultInjector
from simulator.sagemaker.backend import INTERNAL_ERROR, Backend, ResourceKind, SimulatedResource, StoppedError
from simulator.sagemaker.hosting import endpoint_lifecycle
from simulator.sagemaker.hosting.endpoint_lifecycle import ENDPOINT
from simulator.sagemaker.jobs import job_lifecycle, training_run
from simulator.sagemaker.jobs.training_run import TRAINING_JOB
from simulator.sagemaker.jobs.transform_run import TRANSFORM_JOB
from simulator.sagemaker.jobs.tuning_run import TUNING_JOB
from tests.simulator.sagemaker.account import Account

PRINTS_TRACEBACK = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.fixture
def backend() -> Backend:
    """A backend without other services, where no time passes."""
    return Backend("us-east-1", lambda service: None, FaultInjector(), pace=0.0)


def failing() -> None:
    """Work with a bug."""
    raise KeyError("a bug")


@PRINTS_TRACEBACK
def test_bug_in_background_work_calls_its_failure_handler(backend: Backend) -> None:
    reasons: list[str] = []
    backend.run_in_background(failing, reasons.append)
    backend.stop()
    assert reasons == [INTERNAL_ERROR]


@PRINTS_TRACEBACK
@pytest.mark.parametrize(
    ("kind", "fail"),
    [
        (TRAINING_JOB, training_run.fail),
        (TRANSFORM_JOB, job_lifecycle.fail),
        (TUNING_JOB, job_lifecycle.fail),
    ],
)
def test_job_with_a_bug_fails_with_a_reason(
    backend: Backend, kind: ResourceKind, fail: Callable[[Backend, SimulatedResource, str], None]
) -> None:
    job = backend.create(kind, {kind.name_member: "any"}, status="InProgress", SecondaryStatusTransitions=[])
    job.private["ended"] = threading.Event()
    backend.run_in_background(failing, lambda reason: fail(backend, job, reason))
    backend.stop()
    assert (job.status, job.facts["FailureReason"]) == ("Failed", INTERNAL_ERROR)
    assert job.private["ended"].is_set()


@PRINTS_TRACEBACK
def test_endpoint_with_a_bug_fails_and_can_be_deleted(account: Account) -> None:
    name = account.endpoint()
    backend = account.aws.backend()
    endpoint = backend.find(ENDPOINT, name)
    workers: Queue[threading.Thread] = Queue()

    def fail(reason: str) -> None:
        endpoint_lifecycle.fail(backend, endpoint, reason)
        workers.put(threading.current_thread())

    backend.run_in_background(failing, fail)
    workers.get(timeout=60).join()
    described = account.describe(name)
    assert (described["EndpointStatus"], described["FailureReason"]) == ("Failed", INTERNAL_ERROR)
    with pytest.raises(account.runtime.exceptions.ClientError, match="its status is Failed"):
        account.invoke(name)
    account.sagemaker.delete_endpoint(EndpointName=name)
    account.wait("endpoint_deleted", name)


def test_work_started_by_other_work_ends_with_the_simulator() -> None:
    backend = Backend("us-east-1", lambda service: None, FaultInjector(), pace=60.0)
    ended = threading.Event()

    def start_more() -> None:
        with suppress(StoppedError):
            backend.pass_time()
        backend.run_in_background(ended.set, lambda reason: None)

    backend.run_in_background(start_more, lambda reason: None)
    backend.stop()
    assert ended.is_set()
