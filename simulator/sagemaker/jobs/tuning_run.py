"""The run of a tuning job: it starts training jobs in parallel until a limit is reached."""

import uuid
from datetime import datetime, timedelta

from simulator.sagemaker.backend import Backend, SimulatedResource
from simulator.sagemaker.jobs import job_lifecycle, training_jobs
from simulator.sagemaker.jobs.job_lifecycle import JobStoppedError
from simulator.sagemaker.jobs.training_run import TRAINING_JOB
from simulator.sagemaker.jobs.tuning_plan import TuningPlan
from simulator.sagemaker.jobs.tuning_trials import DrawnTrial, Trials

TUNING_JOB = job_lifecycle.job_kind("HyperParameterTuning", "hyper-parameter-tuning-job")
ALL_FAILED = (  # the service's message
    "All training jobs failed. Please take a look at the training jobs failures to get more details."
)
_POLL_PACES = 0.1


def training_jobs_of(backend: Backend, tuning: SimulatedResource) -> list[SimulatedResource]:
    """Return the training jobs of a tuning job, oldest first."""
    return [job for job in backend.all_of(TRAINING_JOB) if job.private.get("tuning") == tuning.name]


def final_value(job: SimulatedResource, metric: str) -> float | None:
    """Return a training job's final value of a metric, None if it has none."""
    metrics = job.facts.get("FinalMetricDataList", ())
    return next((final["Value"] for final in metrics if final["MetricName"] == metric), None)


def objective_status(job: SimulatedResource, metric: str) -> str:
    """Return Pending, Failed or Succeeded."""
    if job.is_running:
        return "Pending"
    return "Failed" if job.status == "Failed" or final_value(job, metric) is None else "Succeeded"


def run(backend: Backend, tuning: SimulatedResource) -> None:
    """Run a tuning job to its end; raises `StoppedError` if the simulator stops meanwhile."""
    plan: TuningPlan = tuning.private["plan"]
    try:
        job_lifecycle.wait_if_stuck(backend, tuning)
        if tuning.private["fault"] != "fail":
            _search(backend, tuning, plan)
    except JobStoppedError:
        _stop_training_jobs(backend, tuning)
        job_lifecycle.end(backend, tuning, "Stopped")
        return
    if any(_result(job, plan) is not None for job in training_jobs_of(backend, tuning)):
        job_lifecycle.end(backend, tuning, "Completed")
    else:
        job_lifecycle.fail(backend, tuning, ALL_FAILED)


def _search(backend: Backend, tuning: SimulatedResource, plan: TuningPlan) -> None:
    """Run training jobs until a limit is reached; raises `JobStoppedError`."""
    trials = Trials(plan, tuning.name)
    running: list[SimulatedResource] = []
    started = 0
    while True:
        for job in [job for job in running if job.private["ended"].is_set()]:
            running.remove(job)
            job.private["trial"].finish(_result(job, plan))
        is_done = started == plan.max_jobs or _limit_reached(backend, tuning, plan)
        if is_done and not running:
            return
        while not is_done and len(running) < plan.max_parallel_jobs and started < plan.max_jobs:
            started += 1
            running.append(_start_training_job(backend, tuning, plan, trials.next(), started))
        job_lifecycle.wait(backend, tuning, _POLL_PACES)


def _result(job: SimulatedResource, plan: TuningPlan) -> float | None:
    """Return a training job's objective, None if it is not available."""
    return final_value(job, plan.metric) if objective_status(job, plan.metric) == "Succeeded" else None


def _limit_reached(backend: Backend, tuning: SimulatedResource, plan: TuningPlan) -> bool:
    """Return whether the time is up or the target value was reached."""
    config = plan.request["HyperParameterTuningJobConfig"]
    seconds = config["ResourceLimits"].get("MaxRuntimeInSeconds")
    created: datetime = tuning.facts["CreationTime"]
    if seconds and backend.now() - created >= timedelta(seconds=seconds):
        return True
    target = config.get("TuningJobCompletionCriteria", {}).get("TargetObjectiveMetricValue")
    if target is None:
        return False
    results = [_result(job, plan) for job in training_jobs_of(backend, tuning)]
    return any(value >= target if plan.maximize else value <= target for value in results if value is not None)


def _start_training_job(
    backend: Backend, tuning: SimulatedResource, plan: TuningPlan, trial: DrawnTrial, number: int
) -> SimulatedResource:
    """Start a training job with a trial's hyperparameters."""

    def on_round(rounds: int, metrics: dict[str, float]) -> None:
        value = metrics.get(plan.metric)
        if value is not None and trial.should_stop(rounds, value) and not job_lifecycle.is_stopped(job):
            with backend.lock:
                job_lifecycle.stop(backend, job)

    request = plan.training_request(f"{tuning.name}-{number:03}-{uuid.uuid4().hex[:8]}", trial.values)
    private = {"tuning": tuning.name, "trial": trial, "on_round": on_round}
    with backend.lock:
        job = training_jobs.start(backend, request, private, TuningJobArn=tuning.arn)
        backend.tags[job.arn] = dict(backend.tags[tuning.arn])
    return job


def _stop_training_jobs(backend: Backend, tuning: SimulatedResource) -> None:
    """Stop the running training jobs, and wait until they have ended."""
    with backend.lock:
        running = [job for job in training_jobs_of(backend, tuning) if job.is_running]
        for job in running:
            job_lifecycle.stop(backend, job)
    while not all(job.private["ended"].is_set() for job in running):
        backend.pass_time(_POLL_PACES)
