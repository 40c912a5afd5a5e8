"""Channels in S3, as `prepare --engine spark` wrote them: training jobs read them from there, without a copy.

Of the objects, only the record, the vocabulary and the n-gram table are downloaded. The channels are compared with the
record by their names, by whether they are empty, and by their SHA-256 where S3 has it. Validation channels are read
through once, in pages, for the out-of-fold predictions; then their SHA-256 is compared.
"""

import hashlib
import json
import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import xgboost
from botocore.exceptions import ClientError

from chalicelib.encoder import Encoder
from chalicelib.release import NGRAM_TABLE_NAME, VOCABULARY_NAME
from operations.aws import bucket, role
from operations.aws.command import Aws
from operations.aws.errors import AwsError, is_denied
from operations.aws.s3_folder import S3Folder, StoredFile
from operations.jobs.channel_upload import PAIRS, UploadedChannels
from operations.jobs.training_job import VOLUME_GB
from operations.setup.permissions import refused_actions
from training.data.reviews import DataError
from training.features.channels import (
    CHANNEL_FILES,
    PREPARED_NAME,
    PreparedChannels,
    channel_names,
    pair_of,
    read_encoder,
)
from training.model.channel_matrix import pages_of, parse_libsvm

_CHANNELS = tuple(f"{name.rpartition('/')[0]}/" for name in channel_names())
_FACTS = (PREPARED_NAME, VOCABULARY_NAME, NGRAM_TABLE_NAME)
_NO_CONTENT = hashlib.sha256().hexdigest()
_DIGEST_DIGITS = 12
_PREPARE = "`verdict prepare --engine spark`"


@dataclass(frozen=True)
class S3Channels:
    """Prepared channels in S3, as they were when the command began."""

    folder: S3Folder
    prepared: PreparedChannels
    encoder: Encoder
    files: dict[str, StoredFile]

    @cached_property
    def compared(self) -> list[str]:
        """The files of channels of which S3 stores a SHA-256."""
        return [name for name in sorted(self.prepared.channel_sha256) if self.files[name].has_sha256]

    def for_jobs(self, instance_count: int) -> UploadedChannels:
        """Return the channels as jobs read them; a change of any file changes the digest, and so the jobs' names."""
        etags = json.dumps(
            {name: file.etag for name, file in self.files.items() if name != PREPARED_NAME}, sort_keys=True
        )
        digest = hashlib.sha256(etags.encode()).hexdigest()[:_DIGEST_DIGITS]
        largest = max(
            sum(file.size_bytes for name, file in self.files.items() if name.startswith(f"{pair}/")) for pair in PAIRS
        )
        volume = max(VOLUME_GB, math.ceil(largest * 1.2 / 1e9) + 2)
        return UploadedChannels(self.folder.address, digest, instance_count, (), (), True, volume)

    def validation_rows(self, fold: int) -> Iterator[xgboost.DMatrix]:
        """Yield the rows of a fold's validation channel; raises `DataError` if a file differs from the record."""
        for name in self.prepared.files_of(f"{pair_of(fold)}/{CHANNEL_FILES['validation']}"):
            digest = hashlib.sha256()
            for page in pages_of(self.folder.stream(name)):
                digest.update(page)
                rows, labels = parse_libsvm(page)
                yield xgboost.DMatrix(rows, label=labels, nthread=1)
            if digest.hexdigest() != self.prepared.channel_sha256[name]:
                raise _differs(self.folder, name)

    def check_unchanged(self) -> None:
        """Raise `DataError` if S3 lists other files, or another state of one, than when the command began."""
        if _list(self.folder) != self.files:
            raise DataError(
                f"The channels in {self.folder.address} were changed during training, so the run would be of two data "
                "sets. Nothing was written. Train again."
            )


def open_channels(aws: Aws, address: str, instance_count: int = 1) -> S3Channels:
    """Read the record and the encoder of channels at `s3://bucket/prefix`, and compare the files with the record.

    Raises `DataError` if the channels are incomplete, differ from the record, or have fewer parts than instances;
    `AwsError` if these credentials or the execution role may not read them.
    """
    folder = S3Folder(aws.account, address)
    folder.check_region()
    files = _list(folder)
    channels = S3Channels(folder, *_read_facts(folder, files), files)
    _check_files(channels)
    _check_parts(channels.prepared, address, instance_count)
    _check_role(aws, folder)
    gigabytes = sum(file.size_bytes for file in files.values()) / 1e9
    count = len(channels.prepared.channel_sha256)
    aws.print(
        f"Channels in {address}: {count:,} files, {gigabytes:.1f} GB. Compared with their record: all names, and the "
        f"SHA-256 of {len(channels.compared):,}; validation channels will be compared when they are read."
    )
    return channels


def _list(folder: S3Folder) -> dict[str, StoredFile]:
    """Return the files of channels and of the facts about them; other objects are left out."""
    return {name: file for name, file in folder.files().items() if name in _FACTS or name.startswith(_CHANNELS)}


def _read_facts(folder: S3Folder, files: dict[str, StoredFile]) -> tuple[PreparedChannels, Encoder]:
    """Download the record, the vocabulary and the n-gram table; raises `DataError`."""
    if not files:
        raise DataError(f"There are no prepared channels in {folder.address}. Check the address, or run {_PREPARE}.")
    if missing := [name for name in (PREPARED_NAME, VOCABULARY_NAME) if name not in files]:
        raise DataError(
            f"{folder.address} has no {missing[0]}, so its preparation is not complete. Wait until it ends, or run "
            f"{_PREPARE} again."
        )
    with tempfile.TemporaryDirectory() as scratch:
        for name in files.keys() & set(_FACTS):
            (Path(scratch) / name).write_bytes(folder.stream(name).read())
        try:
            prepared = PreparedChannels(**json.loads((Path(scratch) / PREPARED_NAME).read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise DataError(f"{folder.address}/{PREPARED_NAME} is not a record of channels ({error}).") from error
        encoder = read_encoder(Path(scratch))
    if encoder.fingerprint != prepared.vocabulary_fingerprint:
        raise _differs(folder, f"{VOCABULARY_NAME} or {NGRAM_TABLE_NAME}")
    return prepared, encoder


def _check_files(channels: S3Channels) -> None:
    """Raise `DataError` if files are missing, additional, or not those of the record, as far as S3 lists it."""
    folder, files, recorded = channels.folder, channels.files, channels.prepared.channel_sha256
    names = files.keys() - set(_FACTS)
    empty = [f"{name.rpartition('/')[0]}/" for name in channel_names() if not channels.prepared.files_of(name)]
    if missing := [*sorted(recorded.keys() - names), *empty]:
        raise DataError(
            f"{folder.address} lacks {len(missing):,} files of channels, the first of them {missing[0]}. Copy all of "
            f"them, or run {_PREPARE} again."
        )
    if more := sorted(names - recorded.keys()):
        raise DataError(
            f"{folder.address} has {len(more):,} files that its record lacks, the first of them {more[0]}. Jobs would "
            "train on them too: delete them."
        )
    for name in sorted(recorded):
        if (files[name].size_bytes == 0) != (recorded[name] == _NO_CONTENT):
            raise _differs(folder, name)
    for name in channels.compared:
        if folder.sha256(name) not in ("", recorded[name]):
            raise _differs(folder, name)


def _differs(folder: S3Folder, name: str) -> DataError:
    return DataError(f"{folder.address}/{name} was changed since it was prepared. Run {_PREPARE} again.")


def _check_parts(prepared: PreparedChannels, address: str, instance_count: int) -> None:
    """Raise `DataError` if a train channel has fewer files than there are instances, of which each gets some."""
    parts = min(len(prepared.files_of(f"{pair}/{CHANNEL_FILES['train']}")) for pair in PAIRS)
    if parts < instance_count:
        raise DataError(
            f"The train channels in {address} have {parts} parts, too few for {instance_count} instances. Choose "
            f"--instance-count {parts}, or prepare them again: {_PREPARE[:-1]} --shards {instance_count}`."
        )


def _check_role(aws: Aws, folder: S3Folder) -> None:
    """Raise `AwsError` if the execution role may not read the folder; print a warning if it is the user's own role.

    IAM does not consider the bucket's policy here, which may allow the user's role to read.
    """
    account = aws.account
    if f"{folder.address}/".startswith(bucket.uri(account, "")):
        return
    arn = role.require(account)
    name = arn.rpartition("/")[2]
    try:
        refused = [action for each in folder.statements() for action in refused_actions(account, arn, each)]
    except ClientError as error:
        if not is_denied(error):
            raise
        aws.print(f"Not checked, without iam:SimulatePrincipalPolicy: whether {name} may read {folder.address}.")
        return
    if not refused:
        return
    policy = json.dumps({"Version": "2012-10-17", "Statement": folder.statements()})
    message = (
        f"The execution role {name} may not read {folder.address}: {' and '.join(refused)} missing. Allow it: "
        f"aws iam put-role-policy --role-name {name} --policy-name verdict-channels --policy-document '{policy}'"
    )
    if role.is_managed():
        raise AwsError(message, "no-permission")
    aws.print(f"{message} Or the bucket's policy allows it, which was not checked.")
