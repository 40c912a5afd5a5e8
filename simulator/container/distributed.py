"""Training on several hosts: one model, to which every host contributes what it finds in its own shard.

The hosts are threads here, each with its own communicator on loopback, and xgboost's own tracker and collective
between them, as between the containers on AWS. A host that got no rows of a channel is left out, as there.
"""

import threading
from collections.abc import Sequence

import xgboost
from xgboost import collective
from xgboost.tracker import RabitTracker

from simulator.container import channel_files, trainer
from simulator.container.channel_files import Channel
from simulator.container.errors import TrainingFailedError
from simulator.container.trainer import ContainerContext, Prepared, Trained

_LONGEST_SILENCE_SECONDS = 60  # of another host, before a host gives up


def train(shards: Sequence[Sequence[Channel]], stated: dict[str, str], around: Sequence[ContainerContext]) -> Trained:
    """Train on several hosts: each with its channels and its surroundings; raises `TrainingFailedError`."""
    prepared = [trainer.prepare(channels, stated, host) for channels, host in zip(shards, around, strict=True)]
    wanted = {channel.name for channels in shards for channel in channels}
    taking_part = []
    for number, (one, host) in enumerate(zip(prepared, around, strict=True), start=1):
        host.info(f"Distributed node training with {len(shards)} hosts: {_names(len(shards))}")
        if wanted <= one.matrices.keys():
            taking_part.append((one, host))
        else:
            host.info(f"Host algo-{number} does not have data and will not be used in distributed training.")
    if not taking_part:
        raise TrainingFailedError(f"No data in training channel path {channel_files.ROOT}/train")
    return trainer.boost(*taking_part[0]) if len(taking_part) == 1 else _boost_together(taking_part)


def _names(count: int) -> list[str]:
    return [f"algo-{number}" for number in range(1, count + 1)]


def _boost_together(hosts: Sequence[tuple[Prepared, ContainerContext]]) -> Trained:
    """Let all hosts train, and return what the first made; raises the first error of any."""
    tracker = RabitTracker(n_workers=len(hosts), host_ip="127.0.0.1", sortby="task")
    tracker.start()
    results: list[Trained | TrainingFailedError | None] = [None] * len(hosts)

    def work(position: int) -> None:
        arguments = {**tracker.worker_args(), "dmlc_task_id": str(position), "dmlc_timeout": _LONGEST_SILENCE_SECONDS}
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
    if not isinstance(first, Trained):
        raise TrainingFailedError("The hosts lost one another.", "PlatformError")
    return first
