"""Step `upload`: the prepared channels into the bucket, where training jobs on SageMaker read them.

    channels/<digest>/all/train/train.libsvm                    what a release learns from
    channels/<digest>/fold-3/{train,validation}/...             what it is judged on
    channels/<digest>/all/train-of-4/part-000.libsvm, ...       the same lines dealt out, for `ShardedByS3Key`
    channels/<digest>/prepared.json                             the facts about them, last

The digest is over what the channels hold, so what was uploaded once is found again, and nothing is ever overwritten by
something else. What is there with the same content is not sent.
"""

import hashlib
import json
import random
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from operations.aws import bucket
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.plan import PENNIES, Item
from training.data.splits import FOLDS
from training.features.channels import (
    ALL,
    CHANNEL_FILES,
    CHANNELS_FOLDER,
    PREPARED_NAME,
    Prepared,
    channel_names,
    load_prepared,
    pair_of,
)
from training.progress import ProgressCallback, silent

PAIRS = (ALL, *(pair_of(fold) for fold in range(FOLDS)))
_DIGEST_DIGITS = 12


@dataclass(frozen=True)
class UploadedChannels:
    """Where the channels lie: `prefix` is s3://.../channels/<digest>, `digest` says what they hold.

    `shards` is into how many parts the train channels were dealt out as well (1: they were not). `sent` and `kept` are
    the names of the files that went out and of those that were there already.
    """

    prefix: str
    digest: str
    shards: int
    sent: tuple[str, ...]
    kept: tuple[str, ...]

    def train(self, pair: str, sharded: bool = False) -> str:
        """Return the address of a pair's train folder, `all` or `fold-3`; `sharded`: that of its parts."""
        folder = f"train-of-{self.shards}" if sharded and self.shards > 1 else "train"
        return f"{self.prefix}/{pair}/{folder}/"

    def validation(self, pair: str) -> str:
        """Return the address of a pair's validation folder; `all` has none."""
        return f"{self.prefix}/{pair}/validation/"


def digest_of(prepared: Prepared) -> str:
    """Return twelve hexadecimal digits over what the channels hold."""
    stated = json.dumps(prepared.channel_sha256, sort_keys=True)
    return hashlib.sha256(stated.encode()).hexdigest()[:_DIGEST_DIGITS]


def upload_channels(
    aws: Aws,
    channels: Path = CHANNELS_FOLDER,
    shards: int = 1,
    tick: ProgressCallback = silent,
    pairs: Sequence[str] = PAIRS,
) -> UploadedChannels:
    """Send the channels of these pairs, and with `shards` above 1 the train channels dealt out into so many parts.

    Makes the bucket where it is absent. `tick` counts bytes. Raises `DataError` for channels that are not as prepared.
    """
    prepared, _ = load_prepared(channels)
    digest = digest_of(prepared)
    bucket.ensure(aws)
    with tempfile.TemporaryDirectory() as scratch:
        files = {name: channels / name for name in channel_names() if name.partition("/")[0] in pairs}
        for pair in pairs if shards > 1 else ():
            files |= deal(channels / pair / CHANNEL_FILES["train"], pair, shards, Path(scratch))
        files[PREPARED_NAME] = channels / PREPARED_NAME
        sent, kept = _send(aws, f"channels/{digest}", files, tick)
    return UploadedChannels(bucket.uri(aws.account, f"channels/{digest}"), digest, shards, sent, kept)


def planned(account: Account, channels: Path, shards: int = 1, pairs: Sequence[str] = PAIRS) -> list[Item]:
    """Return what an upload will make: the bucket, and the channels unless all of them are there."""
    there = bucket.exists(account)
    items = [] if there else [Item("bucket", bucket.bucket_name(account))]
    prepared, _ = load_prepared(channels)
    below = f"channels/{digest_of(prepared)}"
    names = [name for name in channel_names() if name.partition("/")[0] in pairs]
    wanted = {*names, PREPARED_NAME, *(part for pair in pairs if shards > 1 for part in part_names(pair, shards))}
    absent = wanted - {key.removeprefix(f"{below}/") for key in bucket.keys(account, f"{below}/")} if there else wanted
    if absent:
        megabytes = sum((channels / name).stat().st_size for name in names) / 1e6
        items.append(Item(f"channels, {megabytes:.0f} MB", bucket.uri(account, below), PENNIES))
    return items


def part_names(pair: str, shards: int) -> list[str]:
    """Name the parts that a pair's train channel is dealt out into."""
    return [f"{pair}/train-of-{shards}/part-{number:03d}.libsvm" for number in range(shards)]


def deal(train: Path, pair: str, shards: int, scratch: Path) -> dict[str, Path]:
    """Deal a train channel's lines out, each round in another order; returns name -> file.

    In one order throughout, a part could get one label only: labels and crops take turns in the channel. Every row has
    the constants of the first and last column, so the parts are equally wide.
    """
    names, chance = part_names(pair, shards), random.Random(shards)
    (scratch / names[0]).parent.mkdir(parents=True)
    with ExitStack() as stack:
        lines = stack.enter_context(train.open("rb"))
        parts = [stack.enter_context((scratch / name).open("wb")) for name in names]
        order: list[IO[bytes]] = []
        for line in lines:
            order = order or sorted(parts, key=lambda _: chance.random())
            order.pop().write(line)
    return {name: scratch / name for name in names}


def _send(
    aws: Aws, below: str, files: dict[str, Path], tick: ProgressCallback
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Send files under a key; returns the names of those that were sent, and of those that were there."""
    sizes = {name: path.stat().st_size for name, path in files.items()}
    before, total = 0, sum(sizes.values())
    sent: list[str] = []
    for name, path in files.items():

        def count(done: int, _size: int, _seen: str = "", name: str = name, before: int = before) -> None:
            tick(before + done, total, f"{name}, {(before + done) / 1e6:.0f} of {total / 1e6:.0f} MB")

        if bucket.put_file(aws.account, f"{below}/{name}", path, count):
            sent.append(name)
            aws.journal.write("created", "object", bucket.uri(aws.account, f"{below}/{name}"))
        before += sizes[name]
        tick(before, total, name)
    return tuple(sent), tuple(name for name in files if name not in sent)
