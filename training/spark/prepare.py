"""Step `prepare` on Spark: the same vocabulary, n-gram weights and rows as on one machine, for any number of reviews.

`training.features.prepare` describes the channels. The driver has what does not grow with the number of reviews: the
vocabulary, the tables of n-gram weights, and the short texts.
"""

import json
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from chalicelib.encoder import Encoder
from chalicelib.release import NGRAM_TABLE_NAME, VOCABULARY_NAME
from training import locks
from training.data.reviews import DataError, Review, ShortText
from training.data.splits import Splits
from training.features.build_vocabulary import WordCounts, build_vocabulary
from training.features.channels import PREPARED_NAME, SPARK, PreparedChannels
from training.features.extract import with_templates
from training.features.hashed_texts import hash_short_texts
from training.features.ngram_weights import SLOTS, no_weights
from training.features.prepare import DEFAULT_RECIPE, FeatureRecipe, RowJob, prepared_channels
from training.progress import ProgressCallback, silent
from training.spark import texts
from training.spark.channels import write_channels
from training.spark.ngram_weights import HashedCorpus, learn_weights
from training.spark.storage import Folder, manifest_of

if TYPE_CHECKING:
    from pyspark import RDD, SparkContext
    from pyspark.sql import SparkSession

_TEXTS_PER_PARTITION = 20_000  # short texts


@dataclass(frozen=True)
class _Extracted:
    """What is learned from: the splits, the word counts, the short texts, and the hashed texts."""

    reviews: "RDD[Review]"
    splits: Splits
    word_counts: WordCounts
    short_texts: list[ShortText]
    corpus: HashedCorpus


def prepare_on_spark(
    session: "SparkSession",
    data: str,
    channels: str,
    ticks: tuple[ProgressCallback, ProgressCallback, ProgressCallback] = (silent, silent, silent),
    recipe: FeatureRecipe = DEFAULT_RECIPE,
    slots: int = SLOTS,
    shards: int | None = None,
) -> PreparedChannels:
    """Build the encoder and write all channels, and `prepared.json` last.

    `data` and `channels` are folders of this machine or Hadoop paths. Train channels have `shards` parts, by default
    one for each processor. The `ticks` are those of `training.features.prepare.prepare`. Raises `DataError`, or
    `InUseError` if another command is using a folder of this machine.
    """
    if recipe.reviews is not None:
        raise DataError("A limited number of reviews needs no cluster: leave --engine out.")
    read, written = Folder(session, data), Folder(session, channels)
    with ExitStack() as stack:
        if written.local:
            stack.enter_context(locks.writing(written.local))
        if read.local:
            stack.enter_context(locks.reading(read.local))
        return _prepare(session.sparkContext, read, written, ticks, recipe, slots, shards)


def _prepare(
    context: "SparkContext",
    data: Folder,
    channels: Folder,
    ticks: tuple[ProgressCallback, ProgressCallback, ProgressCallback],
    recipe: FeatureRecipe,
    slots: int,
    shards: int | None,
) -> PreparedChannels:
    """Build the encoder and write all channels, in locked folders."""
    started = time.monotonic()
    manifest = manifest_of(data)
    channels.delete(PREPARED_NAME)
    extracted = _extract(context, data, recipe, ticks[0])
    vocabulary = build_vocabulary(extracted.word_counts, recipe.words)
    learned = learn_weights(extracted.corpus, ticks[1], slots) if recipe.ngrams else no_weights()
    encoders = {left_out: Encoder(vocabulary, table) for left_out, table in learned.tables.items()}
    job = RowJob(encoders, extracted.splits, recipe, frozenset(learned.strongest))
    shards = shards or context.defaultParallelism
    written = write_channels(
        extracted.reviews, extracted.short_texts, context.broadcast(job), channels, shards, ticks[2]
    )
    _write_encoder(channels, encoders[None])
    if manifest_of(data).fingerprint != manifest.fingerprint:
        raise DataError(f"Other reviews were collected in {data.location} while they were read. Run the command again.")
    counts = extracted.corpus.counts() if recipe.ngrams else {}
    seconds = time.monotonic() - started
    prepared = prepared_channels(manifest.fingerprint, job, learned, written, counts, seconds, SPARK)
    channels.write(PREPARED_NAME, (json.dumps(asdict(prepared), indent=2) + "\n").encode())
    return prepared


def _extract(context: "SparkContext", data: Folder, recipe: FeatureRecipe, tick: ProgressCallback) -> _Extracted:
    """Count the words of the training reviews and, if the recipe has n-grams, hash all training texts."""
    from pyspark import StorageLevel

    tick(0, 2, "splits")
    reviews = texts.read_reviews(context, data)
    splits = texts.assign(reviews, data.location)
    tick(1, 2, "words and n-grams")
    parts = texts.extract_reviews(reviews, context.broadcast(splits), recipe.ngrams).persist(StorageLevel.DISK_ONLY)
    counts = texts.count_words(parts.map(lambda part: part[0]), recipe.words)
    tick(2, 2, "")
    hashed = parts.map(lambda part: part[1])
    if not recipe.ngrams:
        return _Extracted(reviews, splits, counts, [], HashedCorpus(hashed, None))
    short_texts = with_templates(texts.read_short_texts(context, data), counts)
    chunks = list(texts.batches(short_texts, _TEXTS_PER_PARTITION))
    hashed = hashed.union(context.parallelize(chunks, max(len(chunks), 1)).map(hash_short_texts))
    unlabelled = texts.read_unlabelled(context, data)
    if unlabelled is not None:
        unlabelled = texts.hash_unlabelled_reviews(unlabelled).persist(StorageLevel.DISK_ONLY)
    return _Extracted(reviews, splits, counts, short_texts, HashedCorpus(hashed, unlabelled))


def _write_encoder(folder: Folder, encoder: Encoder) -> None:
    """Write the vocabulary and the n-gram table, or remove an earlier table if there is none."""
    folder.write(VOCABULARY_NAME, encoder.vocabulary.dumps().encode())
    if encoder.ngram_table:
        folder.write(NGRAM_TABLE_NAME, encoder.ngram_table.dumps())
    else:
        folder.delete(NGRAM_TABLE_NAME)
