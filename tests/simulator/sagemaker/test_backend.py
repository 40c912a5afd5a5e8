"""Work in the background: what a bug in it leaves behind, and how it ends with the simulator."""

import threading
from contextlib import suppress
from queue import Queue
from typing import Any

import pytest

from simulator.fault_injection import FaultInjector
from simulator.sagemaker.backend import INTERNAL_ERROR, Backend, StoppedError
from simulator.sagemaker.hosting import endpoint_life
from simulator.sagemaker.jobs import training_run, transform_run, tuning_run
from tests.simulator.sagemaker.account import Account

SHOWN = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # the traceback


@pytest.fixture
def world() -> Backend:
    return Backend("us-east-1", lambda service: None, FaultInjector(), pace=0.0)


def failing() -> None:
    """Work with a bug."""
    raise KeyError("a bug")


@SHOWN
def test_a_bug_in_background_work_is_told_to_what_it_was_for(world: Backend) -> None:
    reasons: list[str] = []
    world.background(failing, reasons.append)
    world.stop()
    assert reasons == [INTERNAL_ERROR]


@SHOWN
@pytest.mark.parametrize(
    ("run", "kind", "status"),
    [
        (training_run, "training-job", "TrainingJobStatus"),
        (transform_run, "transform-job", "TransformJobStatus"),
        (tuning_run, "hyper-parameter-tuning-job", "HyperParameterTuningJobStatus"),
    ],
)
def test_a_job_with_a_bug_fails_and_says_so(world: Backend, run: Any, kind: str, status: str) -> None:
    job = world.add(kind, "any", {status: "InProgress", "SecondaryStatusTransitions": []})
    job.private["done"] = threading.Event()
    world.background(failing, lambda reason: run.fail(world, job, reason))
    world.stop()
    assert (job.facts[status], job.facts["FailureReason"]) == ("Failed", INTERNAL_ERROR)
    assert job.private["done"].is_set()


@SHOWN
def test_an_endpoint_with_a_bug_fails_answers_no_more_and_can_be_deleted(account: Account) -> None:
    name = account.endpoint()
    world = account.aws.world()
    endpoint = world.find("endpoint", name)
    workers: Queue[threading.Thread] = Queue()

    def fail(reason: str) -> None:
        endpoint_life.fail(world, endpoint, reason)
        workers.put(threading.current_thread())

    world.background(failing, fail)
    workers.get(timeout=60).join()
    told = account.describe(name)
    assert (told["EndpointStatus"], told["FailureReason"]) == ("Failed", INTERNAL_ERROR)
    with pytest.raises(account.runtime.exceptions.ClientError, match="its status is Failed"):
        account.ask(name)
    account.sagemaker.delete_endpoint(EndpointName=name)
    account.wait("endpoint_deleted", name)


def test_work_that_other_work_began_ends_with_the_simulator_too() -> None:
    world = Backend("us-east-1", lambda service: None, FaultInjector(), pace=60.0)
    ended = threading.Event()

    def begin_more() -> None:
        with suppress(StoppedError):
            world.pass_time()
        world.background(ended.set, lambda reason: None)

    world.background(begin_more, lambda reason: None)
    world.stop()
    assert ended.is_set()
