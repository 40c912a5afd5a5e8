"""The training jobs of a tuning job: how many there are of each status, what each came to, and the best."""

from typing import Any

from simulator.sagemaker.backend import Backend, Resource
from simulator.sagemaker.jobs.training_run import KIND, STATUS

RUNNING = ("InProgress", "Stopping")
_TOLD = ("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingStartTime", "TrainingEndTime", STATUS)


def attempts_of(world: Backend, tuning: Resource) -> list[Resource]:
    """Return the training jobs of a tuning job, oldest first."""
    with world.lock:
        return [job for job in world.all_of(KIND) if job.private.get("tuning") == tuning.name]


def value_of(job: Resource, metric: str) -> float | None:
    """Return what a training job's metric was in the end, None as long as it has none."""
    found = [one["Value"] for one in job.facts.get("FinalMetricDataList", ()) if one["MetricName"] == metric]
    return found[0] if found else None


def objective_status(job: Resource, metric: str) -> str:
    """Return whether a training job's objective is there."""
    if job.facts[STATUS] in RUNNING:
        return "Pending"
    return "Failed" if job.facts[STATUS] == "Failed" or value_of(job, metric) is None else "Succeeded"


def counters(world: Backend, tuning: Resource) -> dict[str, dict[str, int]]:
    """Count the training jobs by status, and by status of the objective."""
    jobs = attempts_of(world, tuning)
    statuses = [job.facts[STATUS] for job in jobs]
    objectives = [objective_status(job, _metric(tuning)) for job in jobs]
    return {
        "TrainingJobStatusCounters": {
            "Completed": statuses.count("Completed"),
            "InProgress": sum(status in RUNNING for status in statuses),
            "RetryableError": 0,
            "NonRetryableError": statuses.count("Failed"),
            "Stopped": statuses.count("Stopped"),
        },
        "ObjectiveStatusCounters": {name: objectives.count(name) for name in ("Succeeded", "Pending", "Failed")},
    }


def best(world: Backend, tuning: Resource) -> dict[str, Any]:
    """Tell about the best training job that was completed: `{"BestTrainingJob": ...}`, empty when there is none."""
    metric = _metric(tuning)
    scored = [
        (value, job)
        for job in attempts_of(world, tuning)
        if job.facts[STATUS] == "Completed" and (value := value_of(job, metric)) is not None
    ]
    if not scored:
        return {}
    chosen = (max if tuning.private["plan"].maximize else min)(scored, key=lambda pair: pair[0])
    return {"BestTrainingJob": summary(chosen[1], tuning)}


def summary(job: Resource, tuning: Resource) -> dict[str, Any]:
    """Tell about a training job of a tuning job."""
    metric = _metric(tuning)
    told = {name: job.facts[name] for name in (*_TOLD, "FailureReason") if name in job.facts}
    told |= {
        "TunedHyperParameters": job.private["draw"].values,
        "ObjectiveStatus": objective_status(job, metric),
    }
    value = value_of(job, metric)
    if value is not None:
        kind = "Maximize" if tuning.private["plan"].maximize else "Minimize"
        told["FinalHyperParameterTuningJobObjectiveMetric"] = {"Type": kind, "MetricName": metric, "Value": value}
    return told


def _metric(tuning: Resource) -> str:
    metric: str = tuning.private["plan"].metric
    return metric
