"""Hyperparameter tuning job API operations, and the descriptions of a tuning job's training jobs."""

from functools import partial
from typing import Any

from simulator.sagemaker.backend import Backend, SimulatedResource
from simulator.sagemaker.jobs import job_lifecycle, tuning_run
from simulator.sagemaker.jobs.tuning_plan import TuningPlan, validate
from simulator.sagemaker.jobs.tuning_run import TUNING_JOB, final_value, objective_status, training_jobs_of
from simulator.sagemaker.resource_operations import page, resource_operations, summarize
from simulator.sagemaker.service import Operation

LIST_TRAINING_JOBS = "ListTrainingJobsForHyperParameterTuningJob"
DEFAULT_CONFIG = {"TrainingJobEarlyStoppingType": "Off"}


def create_tuning_job(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Start a tuning job."""
    plan = validate(backend, request)
    tuning = job_lifecycle.start(
        backend,
        TUNING_JOB,
        request,
        tuning_run.run,
        job_lifecycle.fail,
        private={"plan": plan},
        HyperParameterTuningJobConfig=DEFAULT_CONFIG | request["HyperParameterTuningJobConfig"],
        TrainingJobDefinition=plan.described_definition(),
    )
    return {"HyperParameterTuningJobArn": tuning.arn}


def list_training_jobs(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """List the training jobs of a tuning job; they can be sorted by their objective metric."""
    tuning = backend.find(TUNING_JOB, request["HyperParameterTuningJobName"])
    plan: TuningPlan = tuning.private["plan"]

    jobs, sort_key = training_jobs_of(backend, tuning), None
    if request.get("SortBy") == "FinalObjectiveMetricValue":
        jobs = [job for job in jobs if final_value(job, plan.metric) is not None]
        sort_key = partial(final_value, metric=plan.metric)
    return page(
        LIST_TRAINING_JOBS,
        request,
        jobs,
        lambda job: _describe_trial(job, plan),
        sort_key,
    )


def _describe(backend: Backend, tuning: SimulatedResource) -> dict[str, Any]:
    """Describe a tuning job with the counters of its training jobs and the best one."""
    plan: TuningPlan = tuning.private["plan"]
    config = tuning.facts["HyperParameterTuningJobConfig"]
    jobs = training_jobs_of(backend, tuning)
    statuses = [job.status for job in jobs]
    objectives = [objective_status(job, plan.metric) for job in jobs]
    facts = tuning.facts | {
        "Strategy": config["Strategy"],
        "ResourceLimits": config["ResourceLimits"],
        "TrainingJobStatusCounters": {
            "Completed": statuses.count("Completed"),
            "InProgress": sum(job.is_running for job in jobs),
            "RetryableError": 0,
            "NonRetryableError": statuses.count("Failed"),
            "Stopped": statuses.count("Stopped"),
        },
        "ObjectiveStatusCounters": {name: objectives.count(name) for name in ("Succeeded", "Pending", "Failed")},
    }
    scored = [
        (value, job)
        for job in jobs
        if job.status == "Completed" and (value := final_value(job, plan.metric)) is not None
    ]
    if scored:
        _, best = (max if plan.maximize else min)(scored, key=lambda pair: pair[0])
        facts["BestTrainingJob"] = _describe_trial(best, plan)
    return facts


def _describe_trial(job: SimulatedResource, plan: TuningPlan) -> dict[str, Any]:
    """Describe a training job as its tuning job does."""
    facts = job.facts | {
        "TunedHyperParameters": job.private["trial"].values,
        "ObjectiveStatus": objective_status(job, plan.metric),
    }
    value = final_value(job, plan.metric)
    if value is not None:
        objective = {"Type": "Maximize" if plan.maximize else "Minimize", "MetricName": plan.metric, "Value": value}
        facts["FinalHyperParameterTuningJobObjectiveMetric"] = objective
    return summarize(LIST_TRAINING_JOBS, facts)


OPERATIONS: dict[str, Operation] = {
    **resource_operations(TUNING_JOB, _describe),
    **job_lifecycle.stop_operation(TUNING_JOB),
    "CreateHyperParameterTuningJob": create_tuning_job,
    LIST_TRAINING_JOBS: list_training_jobs,
}
