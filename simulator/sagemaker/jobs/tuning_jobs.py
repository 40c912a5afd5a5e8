"""Hyperparameter tuning jobs: what is told about them, and their training jobs."""

import math
from copy import deepcopy
from functools import partial
from typing import Any

from simulator.sagemaker.backend import Backend, Resource, ServiceError
from simulator.sagemaker.jobs import job_states, tuning_run
from simulator.sagemaker.jobs.training_run import STATUS as TRAINING_STATUS
from simulator.sagemaker.jobs.tuning_attempts import attempts_of, best, counters, summary, value_of
from simulator.sagemaker.jobs.tuning_checks import check
from simulator.sagemaker.jobs.tuning_run import STATUS
from simulator.sagemaker.listing import PAGE, page
from simulator.sagemaker.service import Operation

KIND = "hyper-parameter-tuning-job"
_SUMMARY = (
    *("HyperParameterTuningJobName", "HyperParameterTuningJobArn", STATUS, "CreationTime"),
    *("HyperParameterTuningEndTime", "LastModifiedTime"),
)


def create_tuning_job(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Begin a tuning job."""
    plan = check(world, request)
    facts = {name: value for name, value in request.items() if name != "Tags"} | {
        STATUS: "InProgress",
        "CreationTime": world.now(),
        "LastModifiedTime": world.now(),
    }
    tuning = world.add(KIND, request["HyperParameterTuningJobName"], facts, request.get("Tags"))
    facts["HyperParameterTuningJobArn"] = tuning.arn
    job_states.prepare(tuning, world.fault_injector.background("CreateHyperParameterTuningJob"))
    tuning.private["plan"] = plan
    world.background(lambda: tuning_run.run(world, tuning), lambda reason: tuning_run.fail(world, tuning, reason))
    return {"HyperParameterTuningJobArn": tuning.arn}


def describe_tuning_job(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Tell about a tuning job."""
    tuning = _find(world, request)
    return deepcopy(tuning.facts) | counters(world, tuning) | best(world, tuning)


def list_tuning_jobs(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """List tuning jobs."""

    def told(tuning: Resource) -> dict[str, Any]:
        config = tuning.facts["HyperParameterTuningJobConfig"]
        facts = {name: tuning.facts[name] for name in _SUMMARY if name in tuning.facts}
        facts |= {"Strategy": config["Strategy"], "ResourceLimits": config["ResourceLimits"]}
        return facts | counters(world, tuning)

    return page(world.all_of(KIND), request, "HyperParameterTuningJobSummaries", told, STATUS)


def list_training_jobs(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """List the training jobs of a tuning job, by their objective too."""
    tuning = _find(world, request)
    jobs, told = attempts_of(world, tuning), partial(summary, tuning=tuning)
    if request.get("SortBy") != "FinalObjectiveMetricValue":
        return page(jobs, request, "TrainingJobSummaries", told, TRAINING_STATUS)
    found = [job for job in jobs if request.get("StatusEquals") in (None, job.facts[TRAINING_STATUS])]
    found = _by_objective(found, tuning, request.get("SortOrder", "Descending") == "Descending")
    token = request.get("NextToken", "0")
    start = int(token) if token.isdecimal() else 0
    end = start + request.get("MaxResults", PAGE)
    answer: dict[str, Any] = {"TrainingJobSummaries": [told(job) for job in found[start:end]]}
    return answer | ({"NextToken": str(end)} if end < len(found) else {})


def _by_objective(jobs: list[Resource], tuning: Resource, descending: bool) -> list[Resource]:
    """Return training jobs in the order of their objective; those that have none count as the worst."""
    plan = tuning.private["plan"]
    worst = -math.inf if plan.maximize else math.inf
    values = {job.name: value_of(job, plan.metric) for job in jobs}
    return sorted(jobs, key=lambda job: worst if (value := values[job.name]) is None else value, reverse=descending)


def stop_tuning_job(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Ask a tuning job to stop, and its training jobs with it."""
    job_states.stop(world, _find(world, request), STATUS)
    return {}


def delete_tuning_job(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Forget a tuning job that has ended; its training jobs stay."""
    tuning = _find(world, request)
    if tuning.facts[STATUS] in ("InProgress", "Stopping"):
        raise ServiceError("ValidationException", f"Tuning job {tuning.arn} is in status {tuning.facts[STATUS]}.")
    world.remove(tuning)
    return {}


def _find(world: Backend, request: dict[str, Any]) -> Resource:
    return world.find(KIND, request["HyperParameterTuningJobName"])


OPERATIONS: dict[str, Operation] = {
    "CreateHyperParameterTuningJob": create_tuning_job,
    "DescribeHyperParameterTuningJob": describe_tuning_job,
    "ListHyperParameterTuningJobs": list_tuning_jobs,
    "ListTrainingJobsForHyperParameterTuningJob": list_training_jobs,
    "StopHyperParameterTuningJob": stop_tuning_job,
    "DeleteHyperParameterTuningJob": delete_tuning_job,
}
