"""A tuning job from its beginning to its end: training jobs, so many at a time, until there have been enough."""

import uuid
from datetime import datetime, timedelta

from simulator.sagemaker.backend import Backend, Resource
from simulator.sagemaker.jobs import job_states, training_jobs, training_run
from simulator.sagemaker.jobs.job_states import JobStoppedError
from simulator.sagemaker.jobs.tuning_attempts import RUNNING, attempts_of, objective_status, value_of
from simulator.sagemaker.jobs.tuning_checks import Plan
from simulator.sagemaker.jobs.tuning_draws import Draw, Draws

STATUS = "HyperParameterTuningJobStatus"
NONE_SUCCEEDED = (
    "All training jobs failed. Please take a look at the training jobs failures to get more details."  # as AWS says
)
_LOOK_SHARE = 0.1  # of what a state lasts, between looks at the training jobs


def run(world: Backend, tuning: Resource) -> None:
    """Do all of a tuning job's work; raises `StoppedError` when the simulator stops meanwhile."""
    try:
        if tuning.private["mishap"] == "stuck":
            job_states.hang(world, tuning)
        if tuning.private["mishap"] != "fail":
            _search(world, tuning)
        end = "Completed" if _any_succeeded(world, tuning) else "Failed"
    except JobStoppedError:
        _stop_all(world, tuning)
        end = "Stopped"
    _end(world, tuning, end, NONE_SUCCEEDED if end == "Failed" else "")


def fail(world: Backend, tuning: Resource, reason: str) -> None:
    """Let a tuning job end that cannot go on, whatever it was doing."""
    _end(world, tuning, "Failed", reason)


def _end(world: Backend, tuning: Resource, end: str, reason: str) -> None:
    """Let a tuning job end; `reason` "" for one that did not fail."""
    with world.lock:
        now = world.now()
        tuning.facts.update({STATUS: end, "HyperParameterTuningEndTime": now, "LastModifiedTime": now})
        if reason:
            tuning.facts["FailureReason"] = reason
    tuning.private["done"].set()


def _search(world: Backend, tuning: Resource) -> None:
    """Make training jobs until there have been enough; raises `JobStoppedError`."""
    plan: Plan = tuning.private["plan"]
    draws = Draws(plan, tuning.name)
    running: list[Resource] = []
    made = 0
    while True:
        for job in [job for job in running if job.private["done"].is_set()]:
            running.remove(job)
            job.private["draw"].tell(_result(job, plan))
        enough = made == plan.most or _is_over(world, tuning)
        if enough and not running:
            return
        while not enough and len(running) < plan.parallel and made < plan.most:
            made += 1
            running.append(_begin(world, tuning, draws.next(), made))
        job_states.pause(world, tuning, _LOOK_SHARE)


def _result(job: Resource, plan: Plan) -> float | None:
    """Return what a training job came to, None for one that failed."""
    return value_of(job, plan.metric) if objective_status(job, plan.metric) == "Succeeded" else None


def _is_over(world: Backend, tuning: Resource) -> bool:
    """Tell whether no more training jobs should begin: a value that is good enough was found, or the time is up."""
    plan: Plan = tuning.private["plan"]
    config = plan.request["HyperParameterTuningJobConfig"]
    seconds = config["ResourceLimits"].get("MaxRuntimeInSeconds")
    begun: datetime = tuning.facts["CreationTime"]
    if seconds and world.now() - begun >= timedelta(seconds=seconds):
        return True
    target = config.get("TuningJobCompletionCriteria", {}).get("TargetObjectiveMetricValue")
    if target is None:
        return False
    values = [value for job in attempts_of(world, tuning) if (value := _result(job, plan)) is not None]
    return any(value >= target if plan.maximize else value <= target for value in values)


def _begin(world: Backend, tuning: Resource, draw: Draw, number: int) -> Resource:
    """Begin a training job."""
    plan: Plan = tuning.private["plan"]
    name = f"{tuning.name}-{number:03}-{uuid.uuid4().hex[:8]}"

    def hear(rounds: int, figures: dict[str, float]) -> None:
        value = figures.get(plan.metric)
        if value is not None and draw.is_hopeless(rounds, value) and not job_states.is_stopped(job):
            with world.lock:
                job_states.stop(world, job, training_run.STATUS)

    with world.lock:
        private = {"tuning": tuning.name, "draw": draw, "heard": hear}
        job = training_jobs.begin(world, plan.training_job(name, draw.values), private, TuningJobArn=tuning.arn)
        world.tags[job.arn] = dict(world.tags[tuning.arn])
    return job


def _any_succeeded(world: Backend, tuning: Resource) -> bool:
    metric = tuning.private["plan"].metric
    return any(objective_status(job, metric) == "Succeeded" for job in attempts_of(world, tuning))


def _stop_all(world: Backend, tuning: Resource) -> None:
    """Stop the training jobs that are under way, and wait for them."""
    with world.lock:
        running = [job for job in attempts_of(world, tuning) if job.facts[training_run.STATUS] in RUNNING]
        for job in running:
            job_states.stop(world, job, training_run.STATUS)
    while not all(job.private["done"].is_set() for job in running):
        world.pass_time(_LOOK_SHARE)
