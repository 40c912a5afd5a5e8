"""Step `prepare`: reviews -> vocabulary and evidence, and the channels that models learn from and are judged on.

A channel is a folder with one file of libsvm lines, as the container takes them: the label, then the row that the app
would send. `all/train` is what a release learns from: every review of train. Five pairs, `fold-0` to `fold-4`, are for
judging: `train` without one fold, and `validation` with that fold alone. No line of a train channel carries evidence
that was learned from its own review, and none of a pair evidence from the fold held out.

Every second review brings a crop of it into the train channels, on the line behind it. In a validation channel every
review has one.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from chalicelib.encoder import Encoder
from chalicelib.release import VOCABULARY_NAME
from chalicelib.text import words
from training import atomic
from training.data.excerpts import excerpts_of
from training.data.reviews import LABEL_NAMES, REVIEWS_NAME, Review, read_manifest
from training.data.splits import FOLDS, Splits, assign, thinned
from training.features.build_vocabulary import WORDS, choose, count_words
from training.features.channels import (
    ALL,
    CHANNEL_FILES,
    PREPARED_NAME,
    Prepared,
    channel_names,
    pair_of,
    write_ngram_table,
)
from training.features.ngram_weights import SLOTS, LeftOut, learn, nothing_learned, tenth, tenths_of
from training.parallel import map_reviews
from training.progress import ProgressCallback, silent

CROPPED = 2  # every so manyth review brings a crop into train


@dataclass(frozen=True)
class Recipe:
    """What to prepare: so many words, with or without evidence and crops, from so many reviews (None: all)."""

    words: int = WORDS
    evidence: bool = True
    crops: bool = True
    reviews: int | None = None


DEFAULT_RECIPE = Recipe()
PRESETS = {
    "default": DEFAULT_RECIPE,
    "tutorial": Recipe(words=5_000, evidence=False, crops=False, reviews=15_000),  # its counts are presence here
}


def prepare(
    data_folder: Path,
    channels_folder: Path,
    ticks: tuple[ProgressCallback, ProgressCallback, ProgressCallback] = (silent, silent, silent),
    recipe: Recipe = DEFAULT_RECIPE,
    slots: int = SLOTS,
) -> Prepared:
    """Build the encoder and write all channels; the facts about them come last.

    The three `ticks` are of counting terms, learning evidence and writing rows.
    """
    started = time.monotonic()
    manifest = read_manifest(data_folder)
    path = data_folder / REVIEWS_NAME
    splits = assign(path)
    dropped = len(splits.dropped)
    if recipe.reviews is not None:
        splits = thinned(path, splits, recipe.reviews)
    (channels_folder / PREPARED_NAME).unlink(missing_ok=True)
    vocabulary = choose(count_words(path, splits), recipe.words)
    learned = learn(path, splits, *ticks[:2], slots) if recipe.evidence else nothing_learned()
    encoders = {left_out: Encoder(vocabulary, evidence) for left_out, evidence in learned.tables.items()}
    shipped = encoders[frozenset()]
    rows, sha256 = _write_channels(path, channels_folder, _Writing(encoders, splits, recipe), ticks[2])
    atomic.write_text(channels_folder / VOCABULARY_NAME, vocabulary.dumps())
    write_ngram_table(channels_folder, shipped)
    prepared = Prepared(
        data_fingerprint=manifest.fingerprint,
        vocabulary_fingerprint=shipped.fingerprint,
        words=len(vocabulary),
        terms=learned.terms,
        strongest={label: [list(pair) for pair in pairs] for label, pairs in learned.strongest.items()},
        recipe=asdict(recipe),
        rows=rows,
        dropped=dropped,
        seconds=round(time.monotonic() - started, 1),
        channel_sha256=sha256,
    )
    atomic.write_text(channels_folder / PREPARED_NAME, json.dumps(asdict(prepared), indent=2) + "\n")
    return prepared


@dataclass(frozen=True)
class _Writing:
    """What lines are written with: an encoder for each set of tenths that its evidence has not seen."""

    encoders: Mapping[LeftOut, Encoder]
    splits: Splits
    recipe: Recipe


def _write_channels(
    path: Path, folder: Path, writing: _Writing, tick: ProgressCallback
) -> tuple[dict[str, dict[str, int]], dict[str, str]]:
    """Write all channels; returns lines by channel and label name, and SHA-256 by channel."""
    names = channel_names()
    rows = {name: dict.fromkeys(LABEL_NAMES, 0) for name in names}
    digests = {name: hashlib.sha256() for name in names}
    with ExitStack() as stack:
        files = {name: stack.enter_context(atomic.writing(folder / name)) for name in names}
        for lines in map_reviews(_lines, path, writing, tick):
            for name, label, line in lines:
                files[name].write(line)
                digests[name].update(line)
                rows[name][LABEL_NAMES[label]] += line.count(b"\n")
    return rows, {name: digest.hexdigest() for name, digest in digests.items()}


def _lines(writing: _Writing, reviews: Iterator[Review]) -> list[tuple[str, int, bytes]]:
    """Return (channel, label, its lines) for the reviews of a stretch that may be learned from."""
    found: list[tuple[str, int, bytes]] = []
    for review in reviews:
        fold = writing.splits.of(review)
        if fold is None or not writing.splits.learns(review):
            continue
        texts = [words(review.text)]
        if writing.recipe.crops:
            texts += map(words, excerpts_of(review.id, review.text, 1))
        learned_from = texts if review.number % CROPPED == 0 else texts[:1]
        own = frozenset((tenth(fold, writing.splits.half(review)),))
        wanted = [
            (f"{ALL}/{CHANNEL_FILES['train']}", own, learned_from),
            (f"{pair_of(fold)}/{CHANNEL_FILES['validation']}", tenths_of(fold), texts),
            *(
                (f"{pair_of(held_out)}/{CHANNEL_FILES['train']}", tenths_of(held_out) | own, learned_from)
                for held_out in range(FOLDS)
                if held_out != fold
            ),
        ]
        for channel, left_out, chosen in wanted:
            found.append((channel, review.label, _encoded(review.label, writing.encoders[left_out], chosen)))
    return found


def _encoded(label: int, encoder: Encoder, texts: list[list[str]]) -> bytes:
    """Return a line for each of these texts."""
    return "".join(f"{label} {encoder.row(text)}\n" for text in texts).encode()
