"""Distributed training: one model from several hosts, each with its own shard.

The hosts are threads, each with its own communicator on loopback, connected by xgboost's tracker and collective, as the
containers on AWS are. A host without rows of a channel does not take part, as on AWS.
"""

import threading
from collections.abc import Sequence

import xgboost
from xgboost import collective
from xgboost.tracker import RabitTracker

from simulator.container import channel_files, trainer
from simulator.container.channel_files import Channel
from simulator.container.errors import TrainingFailedError
from simulator.container.trainer import ContainerContext, TrainedModel, TrainingSetup

_TIMEOUT_SECONDS = 60  # for a response of another host


def train(
    shards: Sequence[Sequence[Channel]], hyperparameters: dict[str, str], contexts: Sequence[ContainerContext]
) -> TrainedModel:
    """Train on several hosts, each with its channels and context; raises `TrainingFailedError`."""
    prepared = [
        trainer.prepare(channels, hyperparameters, host) for channels, host in zip(shards, contexts, strict=True)
    ]
    names = {channel.name for channels in shards for channel in channels}
    participants = []
    for number, (inputs, host) in enumerate(zip(prepared, contexts, strict=True), start=1):
        host.info(f"Distributed node training with {len(shards)} hosts: {_names(len(shards))}")
        if names <= inputs.matrices.keys():
            participants.append((inputs, host))
        else:
            host.info(f"Host algo-{number} does not have data and will not be used in distributed training.")
    if not participants:
        raise TrainingFailedError(f"No data in training channel path {channel_files.ROOT}/train")
    return trainer.boost(*participants[0]) if len(participants) == 1 else _boost_together(participants)


def _names(count: int) -> list[str]:
    return [f"algo-{number}" for number in range(1, count + 1)]


def _boost_together(hosts: Sequence[tuple[TrainingSetup, ContainerContext]]) -> TrainedModel:
    """Train on all hosts at once, and return the first host's model; raises the first error."""
    tracker = RabitTracker(n_workers=len(hosts), host_ip="127.0.0.1", sortby="task")
    tracker.start()
    results: list[TrainedModel | TrainingFailedError | None] = [None] * len(hosts)

    def work(position: int) -> None:
        arguments = {**tracker.worker_args(), "dmlc_task_id": str(position), "dmlc_timeout": _TIMEOUT_SECONDS}
        with xgboost.config_context(verbosity=0), collective.CommunicatorContext(**arguments):
            try:
                results[collective.get_rank()] = trainer.boost(*hosts[position])
            except TrainingFailedError as error:
                results[collective.get_rank()] = error

    threads = [threading.Thread(target=work, args=(position,)) for position in range(len(hosts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, TrainingFailedError):
            raise result
    first = results[0]
    if not isinstance(first, TrainedModel):
        raise TrainingFailedError("The hosts lost their connection to each other.", "PlatformError")
    return first
