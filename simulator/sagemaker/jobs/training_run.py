"""The run of a training job: its states, the container's training, the log and the model artifact.

An interrupted spot job restarts and resumes from its last checkpoint if it saves checkpoints. A job that is stopped, or
exceeds its run time, keeps a model only with `save_model_on_termination`, as in the container. Not simulated: waiting
for a spot instance (`MaxWaitTimeInSeconds` never runs out), and spot discounts: the billable time is the training time.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from simulator.container import distributed, trainer
from simulator.container.errors import TrainingFailedError
from simulator.container.eval_metrics import figures_of
from simulator.container.trainer import ContainerContext, TrainedModel
from simulator.sagemaker import storage
from simulator.sagemaker.backend import INTERNAL_ERROR, Backend, SimulatedResource, StoppedError
from simulator.sagemaker.images import substitution_warning
from simulator.sagemaker.jobs import job_lifecycle, training_channels
from simulator.sagemaker.jobs.checkpoints import Checkpoints
from simulator.sagemaker.jobs.job_lifecycle import JobFailedError, JobStoppedError
from simulator.sagemaker.log_stream import LogStream
from simulator.sagemaker.storage import StorageError

TRAINING_JOB = job_lifecycle.job_kind(
    "Training",
    "training-job",
    missing_message="Requested resource not found.",  # not ResourceNotFound as in the service model
    missing_code="ValidationException",
    running_code="ResourceInUse",
)
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
INTERRUPTED_AFTER_ROUNDS = 7  # with the fault "interrupt"
_MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "Interrupted": "Training job was interrupted",
}


@dataclass
class _Progress:
    """The rounds and metrics of a job since its instances started, and whether training must end."""

    backend: Backend
    job: SimulatedResource
    deadline: datetime
    rounds: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    interrupted: bool = False

    def read_line(self, line: str) -> None:
        """Read the metrics from a line of the first host's log."""
        found = figures_of(line)
        if found:
            self.rounds += 1
            self.metrics = found[1]
            if on_round := self.job.private.get("on_round"):
                on_round(found[0] + 1, found[1])

    def must_end(self) -> bool:
        """Return whether training must end now."""
        if self.job.private["fault"] == "interrupt" and self.rounds >= INTERRUPTED_AFTER_ROUNDS:
            self.interrupted = bool(self.job.facts["EnableManagedSpotTraining"])
        is_late = self.backend.now() >= self.deadline
        return self.interrupted or is_late or self.backend.is_stopping or job_lifecycle.is_stopped(self.job)


def run(backend: Backend, job: SimulatedResource) -> None:
    """Run a job to its end; raises `StoppedError` if the simulator stops meanwhile."""
    reason = ""
    try:
        state = _work(backend, job)
    except JobStoppedError:
        state = "Stopped"
    except TrainingFailedError as error:
        state, reason = "Failed", error.reason
    except JobFailedError as error:
        state, reason = "Failed", str(error)
    except (BotoCoreError, ClientError) as error:
        state, reason = "Failed", f"{INTERNAL_ERROR} ({error})"
    _end(backend, job, state, reason)


def fail(backend: Backend, job: SimulatedResource, reason: str) -> None:
    """End a job with a failure reason, in any state."""
    _end(backend, job, "Failed", reason)


def _work(backend: Backend, job: SimulatedResource) -> str:
    """Go through a job's states; returns the last one. Raises the errors that `run` handles."""
    while True:
        enter_state(backend, job, "Starting")
        job_lifecycle.wait_if_stuck(backend, job)
        job_lifecycle.wait(backend, job)
        if job.private["fault"] == "capacity":
            raise JobFailedError(job_lifecycle.NO_CAPACITY)
        with backend.lock:
            started: datetime = job.facts.setdefault("TrainingStartTime", backend.now())
        deadline = started + timedelta(seconds=job.facts["StoppingCondition"]["MaxRuntimeInSeconds"])
        progress = _Progress(backend, job, deadline)
        try:
            trained = _train(backend, job, progress)
        except StorageError as error:
            raise JobFailedError(f"ClientError: Data download failed:{error}") from error
        if not progress.interrupted:
            return _save_result(backend, job, progress, trained)
        enter_state(backend, job, "Interrupted")
        job.private["fault"] = ""
        job_lifecycle.wait(backend, job)


def _train(backend: Backend, job: SimulatedResource, progress: _Progress) -> TrainedModel:
    """Download the channels and train; raises `TrainingFailedError` and `StorageError`."""
    enter_state(backend, job, "Downloading")
    s3 = backend.client("s3")
    hosts = training_channels.download(s3, job.facts)
    checkpoints = Checkpoints(s3, job.facts.get("CheckpointConfig", {}).get("S3Uri"))
    start = checkpoints.latest()
    job_lifecycle.wait(backend, job)
    enter_state(backend, job, "Training")
    if job.private["fault"] == "fail":
        raise TrainingFailedError("The container failed because of an injected fault", "AlgorithmError")
    streams = _log_streams(backend, job, len(hosts))
    if warning := substitution_warning(job.facts["AlgorithmSpecification"]["TrainingImage"]):
        streams[0].write(warning)
    logs: list[Callable[[str], None]] = [stream.write for stream in streams]
    logs[0] = partial(_log_first_host, streams[0], progress)
    contexts = [ContainerContext(log, backend.now, progress.must_end, checkpoints.save, start) for log in logs]
    try:
        if len(hosts) > 1:
            return distributed.train(hosts, job.facts["HyperParameters"], contexts)
        return trainer.train(hosts[0], job.facts["HyperParameters"], contexts[0])
    except TrainingFailedError as error:
        streams[0].write(error.reason.removeprefix("AlgorithmError: "))
        raise
    finally:
        for stream in streams:
            stream.flush()


def _log_streams(backend: Backend, job: SimulatedResource, hosts: int) -> list[LogStream]:
    """Return a log stream for each host."""
    seconds = int(backend.now().timestamp())
    names = [f"{job.name}/algo-{number}-{seconds}" for number in range(1, hosts + 1)]
    return [LogStream(backend.client("logs"), LOG_GROUP, name, backend.now) for name in names]


def _log_first_host(stream: LogStream, progress: _Progress, line: str) -> None:
    stream.write(line)
    progress.read_line(line)


def _save_result(backend: Backend, job: SimulatedResource, progress: _Progress, trained: TrainedModel) -> str:
    """Record the metrics and upload the artifact if there is a model; returns the last state."""
    if backend.is_stopping:
        raise StoppedError
    with backend.lock:
        job.facts["FinalMetricDataList"] = [
            {"MetricName": name, "Value": value, "Timestamp": backend.now()} for name, value in progress.metrics.items()
        ]
    if trained.model is not None:
        if not trained.ended_early:
            enter_state(backend, job, "Uploading")
        url = storage.join_url(job.facts["OutputDataConfig"]["S3OutputPath"], job.name, "output", "model.tar.gz")
        try:
            storage.write(backend.client("s3"), url, storage.pack_model(trained.model))
        except StorageError as error:
            raise JobFailedError(f"ClientError: Artifact upload failed:{error}") from error
        with backend.lock:
            job.facts["ModelArtifacts"] = {"S3ModelArtifacts": url}
    if not trained.ended_early:
        return "Completed"
    return "Stopped" if job_lifecycle.is_stopped(job) else "MaxRuntimeExceeded"


def enter_state(backend: Backend, job: SimulatedResource, state: str) -> None:
    """Change a job's secondary status, and record when the previous one ended."""
    with backend.lock:
        now, transitions = backend.now(), job.facts["SecondaryStatusTransitions"]
        if transitions:
            transitions[-1]["EndTime"] = now
        transitions.append({"Status": state, "StartTime": now, "StatusMessage": _MESSAGES[state]})
        job.facts.update(SecondaryStatus=state, LastModifiedTime=now)


def _end(backend: Backend, job: SimulatedResource, state: str, reason: str) -> None:
    """End a job with its last state, and bill its time."""
    with backend.lock:
        enter_state(backend, job, state)
        now = job.facts["SecondaryStatusTransitions"][-1]["EndTime"] = backend.now()
        if started := job.facts.get("TrainingStartTime"):
            seconds = math.ceil((now - started).total_seconds())
            job.facts.update(TrainingTimeInSeconds=seconds, BillableTimeInSeconds=seconds)
        job_lifecycle.end(backend, job, state if state in ("Completed", "Failed") else "Stopped", reason)
