"""Step `prepare`: labelled reviews -> vocabulary, n-gram weights, and the channels for training and validation.

A channel is a folder with one file of libsvm lines, the format that the container reads: the label, then the row that
the app would send. `all/train` has every training text; the released model is trained on it. The five pairs `fold-0`
to `fold-4` are for cross-validation: `train` leaves one fold out, and `validation` has that fold alone. The n-gram
features of every line come from weights that were learned without the tenth of its text.

In a train channel, a review has two equal lines, and every fourth is followed by an excerpt of it; in a validation
channel, each has one line and an excerpt. Then come the short texts: sentences in both, with three lines in train;
templates, with four, and half of the phrases of two or more words in train only. Neutral ones have no line.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from chalicelib.encoder import Encoder
from chalicelib.ngrams import hash_ngrams, ngrams
from chalicelib.release import VOCABULARY_NAME
from chalicelib.text import words
from training import atomic, locks
from training.data.excerpts import excerpts_of
from training.data.reviews import LABEL_NAMES, REVIEWS_NAME, Review, ShortText, check_same_data, read_manifest
from training.data.short_texts import has_label, kind_of, label_of, tenth_of
from training.data.splits import LeftOut, Splits, assign, fold_of
from training.features.build_vocabulary import WORDS, build_vocabulary
from training.features.channels import (
    ALL,
    CHANNEL_FILES,
    HERE,
    PREPARED_NAME,
    PreparedChannels,
    channel_names,
    pair_of,
    remove_parts,
    write_ngram_table,
)
from training.features.extract import extract
from training.features.hash_chunk import hash_chunk
from training.features.hashed_columns import temporary_folder
from training.features.ngram_weights import SLOTS, LearnedWeights, learn_weights, no_weights
from training.parallel import map_items, map_reviews
from training.progress import ProgressCallback, silent

REVIEW_LINES = 2  # in a train channel
SHORT_TEXT_LINES = {"sentence": 3, "template": 4, "phrase": 1}  # kind -> lines in a train channel
EXCERPT_EVERY = 4  # reviews: the others have no excerpt in a train channel
PHRASE_EVERY = 2  # phrases: the others have no line
MIN_PHRASE_WORDS = 2
TEXTS_PER_CHUNK = 10_000  # short texts
_MIN_CHUNKS = 3  # of short texts, for which worker processes are started


@dataclass(frozen=True)
class FeatureRecipe:
    """The words in the vocabulary, whether to use n-gram features and excerpts, and the most reviews (None: all)."""

    words: int = WORDS
    ngrams: bool = True
    excerpts: bool = True
    reviews: int | None = None

    def as_json(self) -> dict[str, int | bool | None]:
        """Return the recipe as `prepared.json` stores it: two fields have their former names there."""
        return {"words": self.words, "evidence": self.ngrams, "crops": self.excerpts, "reviews": self.reviews}

    @classmethod
    def from_json(cls, stored: Mapping[str, int | bool | None]) -> "FeatureRecipe":
        """Return the recipe that `as_json` stored."""
        return cls(int(stored["words"] or 0), bool(stored["evidence"]), bool(stored["crops"]), stored["reviews"])


DEFAULT_RECIPE = FeatureRecipe()
PRESETS = {
    "default": DEFAULT_RECIPE,
    "tutorial": FeatureRecipe(words=5_000, ngrams=False, excerpts=False, reviews=15_000),  # presence, not counts
}


def prepare(
    data_folder: Path,
    channels_folder: Path,
    ticks: tuple[ProgressCallback, ProgressCallback, ProgressCallback] = (silent, silent, silent),
    recipe: FeatureRecipe = DEFAULT_RECIPE,
    slots: int = SLOTS,
    learn_from: Path | None = None,
) -> PreparedChannels:
    """Build the encoder and write all channels, and `prepared.json` last.

    The three `ticks` report the progress of counting n-grams, learning weights and writing rows. The vocabulary and the
    weights are learned from another folder of data with `learn_from`, which must have the same splits: the encoder is
    then the same as that of the other folder alone. Raises `InUseError` if another command is using a folder, and
    `DataError` if the data was changed meanwhile.
    """
    with (
        locks.writing(channels_folder),
        locks.reading(data_folder, learn_from or data_folder),
        temporary_folder(channels_folder) as hashed_folder,
    ):
        return _prepare(data_folder, channels_folder, ticks, recipe, slots, learn_from or data_folder, hashed_folder)


def _prepare(
    data_folder: Path,
    channels_folder: Path,
    ticks: tuple[ProgressCallback, ProgressCallback, ProgressCallback],
    recipe: FeatureRecipe,
    slots: int,
    learn_from: Path,
    hashed_folder: Path,
) -> PreparedChannels:
    """Build the encoder and write all channels, in locked folders."""
    started = time.monotonic()
    manifest, learned_manifest = read_manifest(data_folder), read_manifest(learn_from)
    path = data_folder / REVIEWS_NAME
    splits = assign(path, recipe.reviews)
    (channels_folder / PREPARED_NAME).unlink(missing_ok=True)
    remove_parts(channels_folder)
    learned_splits = splits if learn_from == data_folder else assign(learn_from / REVIEWS_NAME, recipe.reviews)
    extracted = extract(learn_from, learned_splits, recipe.ngrams, ticks[0], hashed_folder)
    vocabulary = build_vocabulary(extracted.word_counts, recipe.words)
    learned = learn_weights(extracted.hashed, ticks[1], slots) if recipe.ngrams else no_weights()
    encoders = {left_out: Encoder(vocabulary, table) for left_out, table in learned.tables.items()}
    job = RowJob(encoders, splits, recipe, frozenset(learned.strongest))
    written = _write_channels(path, extracted.short_texts, channels_folder, job, ticks[2])
    atomic.write_text(channels_folder / VOCABULARY_NAME, vocabulary.dumps())
    write_ngram_table(channels_folder, encoders[None])
    check_same_data(data_folder, manifest.fingerprint)
    check_same_data(learn_from, learned_manifest.fingerprint)
    texts = extracted.hashed.counts()
    prepared = prepared_channels(manifest.fingerprint, job, learned, written, texts, time.monotonic() - started)
    atomic.write_text(channels_folder / PREPARED_NAME, json.dumps(asdict(prepared), indent=2) + "\n")
    return prepared


def prepared_channels(
    data_fingerprint: str,
    job: "RowJob",
    learned: LearnedWeights,
    written: "WrittenChannels",
    texts: dict[str, int],
    seconds: float,
    engine: str = HERE,
) -> PreparedChannels:
    """Return the content of `prepared.json`; `texts` counts what the weights were learned from, by kind."""
    released = job.encoders[None]
    return PreparedChannels(
        data_fingerprint=data_fingerprint,
        vocabulary_fingerprint=released.fingerprint,
        words=len(released.vocabulary),
        terms=learned.ngrams,
        strongest=strongest_by_label(learned.strongest, written.ngram_names),
        recipe=job.recipe.as_json(),
        rows=written.rows,
        dropped=len(job.splits.duplicates),
        seconds=round(seconds, 1),
        channel_sha256=written.sha256,
        texts=texts,
        engine=engine,
    )


def strongest_by_label(weights: Mapping[int, float], names: Mapping[int, str]) -> dict[str, list[list[str | float]]]:
    """Return the n-grams with the strongest weights by label name, the strongest first: [text, weight]."""
    if not weights:
        return {}
    named = sorted((weight, names[hashed]) for hashed, weight in weights.items() if hashed in names)
    return {
        "negative": [[ngram, weight] for weight, ngram in named if weight < 0],
        "positive": [[ngram, weight] for weight, ngram in reversed(named) if weight > 0],
    }


@dataclass(frozen=True)
class RowJob:
    """The input of the row writers: an encoder for each left-out tenth, and the hashed n-grams to name."""

    encoders: Mapping[LeftOut, Encoder]
    splits: Splits
    recipe: FeatureRecipe
    hashes_to_name: frozenset[int]


@dataclass
class WrittenChannels:
    """The lines of each channel by label name, the SHA-256 of each file, and the text of n-grams by hash."""

    rows: dict[str, dict[str, int]] = field(
        default_factory=lambda: {name: dict.fromkeys(LABEL_NAMES, 0) for name in channel_names()}
    )
    sha256: dict[str, str] = field(default_factory=dict)
    ngram_names: dict[int, str] = field(default_factory=dict)


@dataclass
class EncodedPart:
    """The lines of one chunk of texts, and the text of n-grams by hash."""

    lines: list["Lines"] = field(default_factory=list)
    ngram_names: dict[int, str] = field(default_factory=dict)


class Lines(NamedTuple):
    """The lines of one text in the train channels, and in the validation channel of its fold."""

    fold: int
    label: int
    train: bytes
    validation: bytes


def _write_channels(
    path: Path, short_texts: Sequence[ShortText], folder: Path, job: RowJob, tick: ProgressCallback
) -> WrittenChannels:
    """Write all channels."""
    names = channel_names()
    written = WrittenChannels()
    digests = {name: hashlib.sha256() for name in names}
    chunks = [short_texts[start : start + TEXTS_PER_CHUNK] for start in range(0, len(short_texts), TEXTS_PER_CHUNK)]
    with ExitStack() as stack:
        files = {name: stack.enter_context(atomic.writing(folder / name)) for name in names}
        parts = map_reviews(rows_of_part, path, job, tick)
        short_parts = map_items(rows_of_short_texts, chunks, job, tick, alone=len(chunks) < _MIN_CHUNKS)
        for part in chain(parts, short_parts):
            written.ngram_names.update(part.ngram_names)
            for name in names:
                lines, counts = lines_of_channel(part.lines, name)
                files[name].write(lines)
                digests[name].update(lines)
                for label, count in zip(LABEL_NAMES, counts, strict=True):
                    written.rows[name][label] += count
    written.sha256.update((name, digest.hexdigest()) for name, digest in digests.items())
    return written


def lines_of_channel(lines: Sequence[Lines], name: str) -> tuple[bytes, tuple[int, int]]:
    """Return the lines of a chunk that are in a channel, and the number of each label."""
    pair, file = name.split("/", 1)
    is_train = file == CHANNEL_FILES["train"]
    chosen = [
        (each.label, each.train if is_train else each.validation)
        for each in lines
        if pair == ALL or (pair == pair_of(each.fold)) != is_train
    ]
    counts = [sum(found.count(b"\n") for label, found in chosen if label == wanted) for wanted in (0, 1)]
    return b"".join(found for _, found in chosen), (counts[0], counts[1])


def rows_of_part(job: RowJob, reviews: Iterator[Review]) -> EncodedPart:
    """Encode the training reviews of one chunk, and name the n-grams in them that need a name."""
    chosen = list(filter(job.splits.is_training, reviews))
    found = [words(review.text) for review in chosen]
    by_tenth = sorted(range(len(chosen)), key=lambda at: job.splits.tenth_of(chosen[at]))  # one table after another
    lines = {at: _lines(job, chosen[at], found[at]) for at in by_tenth}
    return EncodedPart([lines[at] for at in range(len(chosen))], _names(found, job.hashes_to_name))


def rows_of_short_texts(job: RowJob, texts: Sequence[ShortText]) -> EncodedPart:
    """Encode those of some short texts that have a line."""
    part = EncodedPart()
    for number, text in enumerate(texts):
        kind = kind_of(text)
        if not has_label(text) or (kind == "phrase" and number % PHRASE_EVERY):
            continue
        found = words(text.text)
        if kind == "phrase" and len(found) < MIN_PHRASE_WORDS:
            continue
        label, tenth = label_of(text), tenth_of(text)
        line = f"{label} {job.encoders[tenth].row(found)}\n".encode()
        validation = line if kind == "sentence" else b""
        part.lines.append(Lines(fold_of(tenth), label, line * SHORT_TEXT_LINES[kind], validation))
    return part


def _lines(job: RowJob, review: Review, whole: list[str]) -> Lines:
    """Encode a review and its excerpt."""
    texts = [whole]
    if job.recipe.excerpts:
        texts += map(words, excerpts_of(review.id, review.text, 1))
    tenth = job.splits.tenth_of(review)
    lines = [f"{review.label} {job.encoders[tenth].row(text)}\n".encode() for text in texts]
    copies = review.lines or (REVIEW_LINES if job.recipe.ngrams else 1)  # without n-grams there are no short texts
    train_lines = lines[:1] * copies + (lines[1:] if review.number % EXCERPT_EVERY == 0 else [])
    return Lines(fold_of(tenth), review.label, b"".join(train_lines), b"".join(lines))


def _names(texts: Sequence[Sequence[str]], wanted: frozenset[int]) -> dict[int, str]:
    """Return the text of the wanted n-grams in some texts, by hash."""
    if not wanted:
        return {}
    text_of, hashes, _ = hash_chunk(texts)
    at = np.flatnonzero(np.isin(hashes, np.array(list(wanted), np.uint32)))
    _, first = np.unique(hashes[at], return_index=True)
    names: dict[int, str] = {}
    for number in np.unique(text_of[at][first]).tolist():
        pairs = zip(hash_ngrams(texts[number]).by_kind, ngrams(texts[number]), strict=True)
        for of_kind, named in pairs:
            names.update((hashed, name) for hashed, name in zip(of_kind, named, strict=True) if hashed in wanted)
    return names
