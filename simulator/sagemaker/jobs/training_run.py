"""A training job from its beginning to its end: states, the container's work, its log and its artifact.

A spot job that is interrupted starts again and goes on from its last checkpoint, where it has a place for checkpoints.
A job that is stopped, or runs out of time, keeps a model only with `save_model_on_termination`, as in the container.
Not simulated: waiting for a spot machine (`MaxWaitTimeInSeconds` never runs out), and what spot takes off the bill,
which depends on the price of the moment: billable is all the training time.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from simulator.container import distributed, trainer
from simulator.container.channel_files import Channel
from simulator.container.errors import LONGEST_REASON, TrainingFailedError
from simulator.container.eval_metrics import figures_of
from simulator.container.trainer import ContainerContext, Trained
from simulator.sagemaker.backend import INTERNAL_ERROR, Backend, Resource, StoppedError
from simulator.sagemaker.jobs import artifacts, job_states, training_channels
from simulator.sagemaker.jobs.checkpoints import Checkpoints
from simulator.sagemaker.jobs.job_logs import LogStream
from simulator.sagemaker.jobs.job_states import JobStoppedError
from simulator.sagemaker.jobs.stored import StorageError

KIND = "training-job"
STATUS = "TrainingJobStatus"
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
INTERRUPTED_AFTER_ROUNDS = 7  # when a spot machine is taken away on demand
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
_ENDS = {"Completed": "Completed", "Failed": "Failed", "Stopped": "Stopped"}  # others end Stopped


@dataclass
class _Watch:
    """What a job's rounds have come to, and whether training must end: one for each time its machines start."""

    world: Backend
    job: Resource
    deadline: datetime
    rounds: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    lost: bool = False

    def hear(self, line: str) -> None:
        """Take a line of the first host's log."""
        found = figures_of(line)
        if found:
            self.rounds += 1
            self.figures = found[1]
            self.job.private.get("heard", lambda rounds, figures: None)(found[0] + 1, found[1])

    @property
    def is_late(self) -> bool:
        """Whether the job has used up its time."""
        return self.world.now() >= self.deadline

    def ends(self) -> bool:
        """Tell whether training must end now."""
        if self.job.private["mishap"] == "interrupt" and self.rounds >= INTERRUPTED_AFTER_ROUNDS:
            self.lost = bool(self.job.facts["EnableManagedSpotTraining"])
        return self.lost or self.is_late or self.world.is_stopping or job_states.is_stopped(self.job)


def run(world: Backend, job: Resource) -> None:
    """Do all of a job's work; raises `StoppedError` when the simulator stops meanwhile."""
    _end(world, job, _outcome(world, job))


def fail(world: Backend, job: Resource, reason: str) -> None:
    """Let a job end that cannot go on, whatever it was doing."""
    _end(world, job, _fail(world, job, reason))


def _outcome(world: Backend, job: Resource) -> str:
    """Do a job's work; returns its last state."""
    try:
        return _work(world, job)
    except JobStoppedError:
        return "Stopped"
    except TrainingFailedError as error:
        return _fail(world, job, error.reason)
    except (BotoCoreError, ClientError) as error:
        return _fail(world, job, f"{INTERNAL_ERROR} ({error})")


def _fail(world: Backend, job: Resource, reason: str) -> str:
    """Note why a job failed."""
    with world.lock:
        job.facts["FailureReason"] = reason[:LONGEST_REASON]
    return "Failed"


def _work(world: Backend, job: Resource) -> str:
    """Go through the states; returns the last one. Raises `JobStoppedError`, `TrainingFailedError`."""
    mishap = job.private["mishap"]
    while True:
        pass_to(world, job, "Starting")
        if mishap == "stuck":
            job_states.hang(world, job)
        job_states.pause(world, job)
        if mishap == "capacity":
            return _fail(world, job, job_states.NO_CAPACITY)
        watch = _Watch(world, job, _deadline(world, job))
        try:
            trained = _train(world, job, watch)
        except StorageError as error:
            return _fail(world, job, f"ClientError: Data download failed:{error}")
        if watch.lost:
            pass_to(world, job, "Interrupted")
            job.private["mishap"] = ""
            job_states.pause(world, job)
            continue
        return _keep(world, job, watch, trained)


def _deadline(world: Backend, job: Resource) -> datetime:
    """Return when the job must have ended, and note that it began to be billed."""
    with world.lock:
        begun: datetime = job.facts.setdefault("TrainingStartTime", world.now())
    return begun + timedelta(seconds=job.facts["StoppingCondition"]["MaxRuntimeInSeconds"])


def _train(world: Backend, job: Resource, watch: _Watch) -> Trained:
    """Bring the channels in and train; raises `TrainingFailedError` and `StorageError`."""
    pass_to(world, job, "Downloading")
    hosts = job.facts["ResourceConfig"]["InstanceCount"]
    s3 = world.client("s3")
    shards = training_channels.download(s3, job.facts, hosts)
    checkpoints = Checkpoints(s3, job.facts.get("CheckpointConfig", {}).get("S3Uri"))
    start = checkpoints.latest()
    job_states.pause(world, job)
    pass_to(world, job, "Training")
    if job.private["mishap"] == "fail":
        raise TrainingFailedError("The container failed, as it was told to", "AlgorithmError")
    streams = _streams(world, job, hosts)
    try:
        return _on_hosts(shards, job.facts["HyperParameters"], _surroundings(streams, watch, checkpoints, start))
    except TrainingFailedError as error:
        streams[0].write(error.reason.removeprefix("AlgorithmError: "))
        raise
    finally:
        for stream in streams:
            stream.flush()


def _streams(world: Backend, job: Resource, hosts: int) -> list[LogStream]:
    """Return the log stream of every host."""
    moment = int(world.now().timestamp())
    names = (f"{job.name}/algo-{number}-{moment}" for number in range(1, hosts + 1))
    return [LogStream(world.client("logs"), LOG_GROUP, name, world.now) for name in names]


def _surroundings(
    streams: list[LogStream], watch: _Watch, checkpoints: Checkpoints, start: trainer.Checkpoint | None
) -> list[ContainerContext]:
    """Return what the container of every host finds around it; the first one's rounds are heard."""

    def tell(stream: LogStream, first: bool) -> Callable[[str], None]:
        def log(line: str) -> None:
            stream.write(line)
            if first:
                watch.hear(line)

        return log

    return [
        ContainerContext(tell(stream, stream is streams[0]), watch.world.now, watch.ends, checkpoints.save, start)
        for stream in streams
    ]


def _on_hosts(shards: list[list[Channel]], stated: dict[str, str], around: list[ContainerContext]) -> Trained:
    if len(shards) == 1:
        return trainer.train(shards[0], stated, around[0])
    return distributed.train(shards, stated, around)


def _keep(world: Backend, job: Resource, watch: _Watch, trained: Trained) -> str:
    """Write the artifact, where there is one, and note the metrics; returns the last state."""
    if world.is_stopping:
        raise StoppedError
    with world.lock:
        job.facts["FinalMetricDataList"] = [
            {"MetricName": name, "Value": value, "Timestamp": world.now()} for name, value in watch.figures.items()
        ]
    if trained.model is not None:
        if not trained.ended_early:
            pass_to(world, job, "Uploading")
        try:
            url = artifacts.upload(world.client("s3"), job, trained.model)
        except StorageError as error:
            return _fail(world, job, f"ClientError: Artifact upload failed:{error}")
        with world.lock:
            job.facts["ModelArtifacts"] = {"S3ModelArtifacts": url}
    if not trained.ended_early:
        return "Completed"
    return "Stopped" if job_states.is_stopped(job) else "MaxRuntimeExceeded"


def pass_to(world: Backend, job: Resource, state: str) -> None:
    """Let a job enter a state, and note when it left the one before."""
    with world.lock:
        now, passed = world.now(), job.facts["SecondaryStatusTransitions"]
        if passed:
            passed[-1]["EndTime"] = now
        passed.append({"Status": state, "StartTime": now, "StatusMessage": _MESSAGES[state]})
        job.facts.update(SecondaryStatus=state, LastModifiedTime=now)


def _end(world: Backend, job: Resource, state: str) -> None:
    """Let a job end."""
    with world.lock:
        pass_to(world, job, state)
        now = world.now()
        job.facts["SecondaryStatusTransitions"][-1]["EndTime"] = now
        job.facts.update({STATUS: _ENDS.get(state, "Stopped"), "TrainingEndTime": now})
        begun = job.facts.get("TrainingStartTime")
        if begun:
            seconds = math.ceil((now - begun).total_seconds())
            job.facts.update(TrainingTimeInSeconds=seconds, BillableTimeInSeconds=seconds)
    job.private["done"].set()
