"""Channels on Spark: rows encoded in the workers, and each channel written as a folder of parts.

A part is a file of libsvm lines, `part-00000` and so on, as the container reads every file of a channel. The parts of a
train channel have the same number of texts, drawn by a hash of their ids, so that SageMaker can give each of several
instances some of them (`ShardedByS3Key`). The parts of a validation channel are in the order of the data, in which
out-of-fold predictions are read.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from training.data.reviews import LABEL_NAMES, Review, ShortText
from training.features.channels import CHANNEL_FILES, channel_names, part_name
from training.features.prepare import (
    TEXTS_PER_CHUNK,
    Lines,
    RowJob,
    WrittenChannels,
    lines_of_channel,
    rows_of_part,
    rows_of_short_texts,
)
from training.progress import ProgressCallback, silent
from training.spark.storage import Folder
from training.spark.texts import batches

if TYPE_CHECKING:
    from pyspark import RDD, Broadcast

Record = tuple[bytes, Lines]  # the key by which a text is drawn into a part, and its lines
_KEY_BYTES = 8


def write_channels(
    reviews: "RDD[Review]",
    short_texts: Sequence[ShortText],
    job: "Broadcast[RowJob]",
    folder: Folder,
    shards: int,
    tick: ProgressCallback = silent,
) -> WrittenChannels:
    """Write all channels; train channels in `shards` parts, validation channels in one for each partition."""
    from pyspark import StorageLevel

    tick(0, 2, "train channels")
    training = reviews.filter(lambda review: job.value.splits.is_training(review))
    encoded = training.mapPartitions(lambda part: (_encode(job.value, batch) for batch in batches(part)))
    encoded = encoded.persist(StorageLevel.DISK_ONLY)
    written = WrittenChannels()
    for names in encoded.mapPartitions(lambda parts: [_merge(names for _, names in parts)]).collect():
        written.ngram_names.update(names)
    records = encoded.flatMap(lambda part: part[0]).union(_short_records(reviews, short_texts, job))
    drawn = records.repartitionAndSortWithinPartitions(shards, lambda key: int.from_bytes(key[:_KEY_BYTES]) % shards)
    drawn = drawn.persist(StorageLevel.DISK_ONLY)
    train = [name for name in channel_names() if name.endswith(CHANNEL_FILES["train"])]
    _write(drawn, train, folder, written)
    drawn.unpersist()
    tick(1, 2, "validation channels")
    _write(records, [name for name in channel_names() if name not in train], folder, written)
    encoded.unpersist()
    tick(2, 2, "")
    return written


def key_of(id_: str) -> bytes:
    """Return the key of a text: a hash of its id, then the id."""
    id_bytes = id_.encode()
    return hashlib.blake2b(id_bytes, digest_size=_KEY_BYTES).digest() + id_bytes


def _encode(job: RowJob, reviews: Sequence[Review]) -> tuple[list[Record], dict[int, str]]:
    """Encode training reviews, and name the n-grams in them that need a name."""
    part = rows_of_part(job, iter(reviews))
    keys = [key_of(review.id) for review in reviews]
    return list(zip(keys, part.lines, strict=True)), part.ngram_names


def _merge(parts: Iterable[dict[int, str]]) -> dict[int, str]:
    """Merge the names of a partition's n-grams."""
    names: dict[int, str] = {}
    for part in parts:
        names.update(part)
    return names


def _short_records(reviews: "RDD[Review]", short_texts: Sequence[ShortText], job: "Broadcast[RowJob]") -> "RDD[Record]":
    """Encode the short texts, in the same chunks as on one machine, since every second phrase of a chunk has a line."""
    chunks = list(enumerate(batches(short_texts, TEXTS_PER_CHUNK)))
    return reviews.context.parallelize(chunks, max(len(chunks), 1)).flatMap(
        lambda chunk: [
            (key_of(f"{chunk[0]}/{place}"), lines)
            for place, lines in enumerate(rows_of_short_texts(job.value, chunk[1]).lines)
        ]
    )


def _write(records: "RDD[Record]", names: Sequence[str], folder: Folder, written: WrittenChannels) -> None:
    """Write some channels, and add their facts."""
    for index, name, sha256, labels in records.mapPartitionsWithIndex(lambda i, part: _facts(i, part, names)).collect():
        written.sha256[part_name(name, index)] = sha256
        for label, count in zip(LABEL_NAMES, labels, strict=True):
            written.rows[name][label] += count
    for name in names:
        channel = str(PurePosixPath(name).parent)
        folder.delete(channel)
        _lines_of(records, name).saveAsTextFile(folder.uri_of(channel))


def _lines_of(records: "RDD[Record]", name: str) -> "RDD[bytes]":
    """Return the lines of a channel, without the last line break of each text: it is added when they are written."""
    lines = records.map(lambda record: lines_of_channel([record[1]], name)[0])
    return lines.filter(bool).map(lambda found: found[:-1])


def _facts(
    index: int, records: Iterable[Record], names: Sequence[str]
) -> Iterator[tuple[int, str, str, tuple[int, int]]]:
    """Yield the (index, channel, SHA-256, lines by label) of each channel's part that a partition becomes."""
    digests = {name: hashlib.sha256() for name in names}
    counts = {name: [0, 0] for name in names}
    for _, lines in records:
        for name in names:
            found, labels = lines_of_channel([lines], name)
            digests[name].update(found)
            counts[name] = [count + more for count, more in zip(counts[name], labels, strict=True)]
    for name in names:
        yield index, name, digests[name].hexdigest(), (counts[name][0], counts[name][1])
