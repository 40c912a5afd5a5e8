"""Predictions for labelled reviews: rows, probabilities, and the facts to group them by.

Rows are encoded in several processes by the app's own encoder and read as the container reads them: a column that a row
does not name is missing, not zero. Each review is scored whole and, if requested, as one excerpt. The model is passed
in as a `Predict`: one on this machine, or one on SageMaker.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xgboost
from scipy.sparse import csr_matrix

from chalicelib.encoder import Encoder
from chalicelib.text import words
from training.data.excerpts import excerpts_of
from training.data.reviews import Review, ShortText
from training.data.short_texts import label_of, labelled_sentences, tenth_of
from training.data.splits import TEST, Splits, fold_of
from training.parallel import map_reviews
from training.progress import ProgressCallback, silent

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Predict = Callable[[Sequence[str]], Floats]  # libsvm rows -> the probability of positive (0..1) of each, in their order
_BATCH = 5_000  # rows


@dataclass(frozen=True)
class ScoredReviews:
    """Reviews, or excerpts of them, with a model's scores; each field has one entry per review, in the file's order.

    `labels` are 1 for positive, `ratings` stars (0: unknown), `folds` 0..4 or `TEST`, `known_shares` the share of known
    words (0..1), and `probabilities` those of positive (0..1).
    """

    ids: list[str]
    labels: Integers
    ratings: Integers
    folds: Integers
    word_counts: Integers
    known_shares: Floats
    probabilities: Floats


@dataclass(frozen=True)
class ScoredSplit:
    """The scores of whole reviews, of an excerpt of each if requested, and of sentences if there are any."""

    reviews: ScoredReviews
    excerpts: ScoredReviews | None
    sentences: ScoredReviews | None = None


class _Facts(NamedTuple):
    """A review's or an excerpt's facts; the numbers are those of `ScoredReviews`."""

    id: str
    label: int
    rating: int  # 0: unknown
    fold: int
    word_count: int
    known_share: float
    is_excerpt: bool


@dataclass(frozen=True)
class _Job:
    """How each process reads and encodes its part of the reviews."""

    encoder: Encoder
    splits: Splits
    with_excerpts: bool


def load_booster(model: bytes) -> xgboost.Booster:
    """Load a booster from a saved model's bytes; it runs on one thread, as the encoding processes use the others."""
    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(model))
    return booster


def matrix(rows: Sequence[str], columns: int) -> csr_matrix:
    """Read libsvm rows without labels into a sparse matrix of (rows, columns)."""
    pairs = np.array(" ".join(rows).replace(":", " ").split(), dtype=np.float32).reshape(-1, 2)  # (column, value)
    lengths = [row.count(":") for row in rows]
    return csr_matrix((pairs[:, 1], pairs[:, 0].astype(np.int32), np.cumsum([0, *lengths])), shape=(len(rows), columns))


def predictor(model: bytes, columns: int) -> Predict:
    """Return the `Predict` of a saved model (UBJSON) on this machine; it predicts in batches."""
    booster = load_booster(model)

    def predict(rows: Sequence[str]) -> Floats:
        batches = [matrix(rows[start : start + _BATCH], columns) for start in range(0, len(rows), _BATCH)]
        probabilities = [booster.predict(xgboost.DMatrix(batch, nthread=1)) for batch in batches]
        return np.concatenate(probabilities).astype(np.float64) if probabilities else np.array([])

    return predict


def score_test(
    predict: Predict,
    encoder: Encoder,
    path: Path,
    splits: Splits,
    with_excerpts: bool = True,
    tick: ProgressCallback = silent,
    at_once: bool = False,
) -> ScoredSplit:
    """Score the test reviews of a file, and the test sentences beside it.

    `predict` is called for one part of the file after another, so that no more rows are in memory; with `at_once`, once
    with all rows, as a batch transform job needs.
    """
    facts: list[_Facts] = []
    rows: list[str] = []
    scored: list[Floats] = []
    for part_facts, part_rows in map_reviews(_encode_test, path, _Job(encoder, splits, with_excerpts), tick):
        facts += part_facts
        rows += part_rows
        if not at_once:
            scored.append(predict(rows))
            rows = []
    sentences = [(sentence, words(sentence.text)) for sentence in labelled_sentences(path.parent, "test")]
    rows += [encoder.row(found) for _, found in sentences]
    scores = np.concatenate([*scored, predict(rows)])
    split = _split_of(facts, scores[: len(facts)], with_excerpts)
    sentence_facts = [_sentence_facts(sentence, TEST, found, encoder) for sentence, found in sentences]
    return _with_sentences(split, sentence_facts, scores[len(facts) :])


def score_reviews(predict: Predict, encoder: Encoder, reviews: Iterable[Review]) -> ScoredReviews:
    """Score reviews that are in no split, each whole; `predict` is called once."""
    read = [(review, words(review.text)) for review in reviews]
    facts = [_facts(review, TEST, review_words, encoder) for review, review_words in read]
    return _scored(facts, predict([encoder.row(review_words) for _, review_words in read]))


def out_of_fold_predictions(
    held_out: Sequence[Sequence[float]],
    encoder: Encoder,
    path: Path,
    splits: Splits,
    with_excerpts: bool,
    tick: ProgressCallback = silent,
) -> ScoredSplit:
    """Join each fold's predictions, by a model trained without the fold, with the fold's reviews.

    `held_out` has the probabilities by fold, in the order of the file, each excerpt after its review, and then those of
    the fold's labelled sentences, if the model was trained on such. Raises `ValueError` if their number is not that of
    the fold's texts.
    """
    job = _Job(encoder, splits, with_excerpts)
    facts = [each for part in map_reviews(_describe_folds, path, job, tick) for each in part]
    reviews = len(facts)
    if sum(map(len, held_out)) > reviews:
        facts += [
            _sentence_facts(sentence, fold_of(tenth_of(sentence)), words(sentence.text), encoder)
            for sentence in labelled_sentences(path.parent, "train")
        ]
    folds = np.array([each.fold for each in facts])
    probabilities = np.empty(len(facts))
    for fold, predictions in enumerate(held_out):
        probabilities[folds == fold] = predictions
    split = _split_of(facts[:reviews], probabilities[:reviews], with_excerpts)
    return _with_sentences(split, facts[reviews:], probabilities[reviews:])


def empty_score(predict: Predict, encoder: Encoder) -> float:
    """Return the score of an empty review: the probability of positive (0..1) of a row without terms."""
    return float(predict([encoder.row([])])[0])


def _split_of(facts: Sequence[_Facts], probabilities: Floats, with_excerpts: bool) -> ScoredSplit:
    """Separate whole reviews from excerpts."""
    is_excerpt = np.array([each.is_excerpt for each in facts], dtype=bool)
    reviews = _scored([each for each in facts if not each.is_excerpt], probabilities[~is_excerpt])
    if not with_excerpts:
        return ScoredSplit(reviews, None)
    return ScoredSplit(reviews, _scored([each for each in facts if each.is_excerpt], probabilities[is_excerpt]))


def _with_sentences(split: ScoredSplit, facts: Sequence[_Facts], probabilities: Floats) -> ScoredSplit:
    """Add scored sentences, if there are any."""
    return replace(split, sentences=_scored(facts, probabilities)) if facts else split


def _sentence_facts(sentence: ShortText, fold: int, text_words: Sequence[str], encoder: Encoder) -> _Facts:
    """Return the facts of a labelled sentence with these words."""
    known_share = encoder.known_share(text_words)
    return _Facts(sentence.id, label_of(sentence), 0, fold, len(text_words), known_share, is_excerpt=False)


def _scored(facts: Sequence[_Facts], probabilities: Floats) -> ScoredReviews:
    """Turn facts, one tuple per review, into one list per field."""
    return ScoredReviews(
        ids=[each.id for each in facts],
        labels=np.array([each.label for each in facts], dtype=np.int64),
        ratings=np.array([each.rating for each in facts], dtype=np.int64),
        folds=np.array([each.fold for each in facts], dtype=np.int64),
        word_counts=np.array([each.word_count for each in facts], dtype=np.int64),
        known_shares=np.array([each.known_share for each in facts], dtype=np.float64),
        probabilities=probabilities,
    )


def _texts(review: Review, with_excerpts: bool) -> Iterator[tuple[list[str], bool]]:
    """Yield the words of a review and then of its excerpt if requested, each with whether it is the excerpt."""
    yield words(review.text), False
    if with_excerpts:
        yield words(excerpts_of(review.id, review.text, 1)[0]), True


def _facts(review: Review, fold: int, text_words: Sequence[str], encoder: Encoder, is_excerpt: bool = False) -> _Facts:
    """Return the facts of a review, or of an excerpt of it, with these words."""
    known_share = encoder.known_share(text_words)
    return _Facts(review.id, review.label, review.rating or 0, fold, len(text_words), known_share, is_excerpt)


def _encode_test(job: _Job, reviews: Iterator[Review]) -> tuple[list[_Facts], list[str]]:
    """Return the facts and the rows of the test reviews among some reviews."""
    facts: list[_Facts] = []
    rows: list[str] = []
    for review in reviews:
        if job.splits.place_of(review) == TEST:
            for text_words, is_excerpt in _texts(review, job.with_excerpts):
                facts.append(_facts(review, TEST, text_words, job.encoder, is_excerpt))
                rows.append(job.encoder.row(text_words))
    return facts, rows


def _describe_folds(job: _Job, reviews: Iterator[Review]) -> list[_Facts]:
    """Return the facts of those of some reviews that are in a fold."""
    facts: list[_Facts] = []
    for review in reviews:
        fold = job.splits.place_of(review)
        if fold is not None and job.splits.is_training(review):
            facts += [
                _facts(review, fold, text_words, job.encoder, is_excerpt)
                for text_words, is_excerpt in _texts(review, job.with_excerpts)
            ]
    return facts
