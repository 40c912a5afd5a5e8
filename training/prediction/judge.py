"""Verdicts on rows of a file, in chunks: the app's own encoding and verdicts, with the scores of a model anywhere.

Worker processes encode a chunk of rows. A model on this machine scores it in the same process; for one on SageMaker the
encoded chunk, with everything that a verdict needs but the scores, returns to the caller.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from chalicelib import documents
from chalicelib.errors import SentimentError
from chalicelib.release import Release
from chalicelib.sentiment import EncodedReview, Verdict, encode_explained, encode_review, verdict_of
from training.data.reviews import DataError
from training.evaluation.predictions import Predict, predictor
from training.prediction.review_files import Row

ADDED = ("verdict", "score", "known_words", "warnings", "error")  # columns
EXPLAINED = ("sentences", "words")  # columns with `explain`


@dataclass(frozen=True)
class EncodedChunk:
    """Rows of a file, each with its encoded review or the reason why there is none."""

    rows: Sequence[Row]
    encoded: Sequence[EncodedReview | SentimentError]

    @property
    def model_rows(self) -> list[str]:
        """The libsvm rows to score, in order."""
        return [row for review in self.encoded if isinstance(review, EncodedReview) for row in review.rows]


@dataclass(frozen=True)
class JudgedRow:
    """A row of a file with its verdict, or the error that took its place."""

    row: Row
    outcome: Verdict | SentimentError

    def added(self, explain: bool) -> dict[str, Any]:
        """Return the values of the added columns; a value that does not exist is None."""
        if isinstance(self.outcome, SentimentError):
            return dict.fromkeys((*ADDED, *EXPLAINED) if explain else ADDED) | {"error": self.outcome.detail}
        result = documents.result(self.outcome, "")
        codes = [warning["code"] for warning in result["warnings"]]
        added = {"verdict": result["label"], "score": result["score"], "known_words": result["known_words"]}
        return added | {"warnings": codes, "error": None} | {name: result[name] for name in EXPLAINED if explain}


@dataclass(frozen=True)
class Judge:
    """A release, its model if it runs on this machine (UBJSON), and whether verdicts are explained."""

    release: Release
    model: bytes | None
    explain: bool

    def encode(self, rows: Sequence[Row]) -> EncodedChunk:
        """Encode the reviews of some rows."""
        return EncodedChunk(rows, [self._encode(row) for row in rows])

    def _encode(self, row: Row) -> EncodedReview | SentimentError:
        """Encode the review of a row, or return the reason why it has none."""
        if row.error:
            return DataError(row.error)
        try:
            return (encode_explained if self.explain else encode_review)(row.review, self.release)
        except SentimentError as error:
            return error

    def judge(self, rows: Sequence[Row]) -> list[JudgedRow]:
        """Encode and score some rows on this machine; raises `ValueError` without a model."""
        if self.model is None:
            raise ValueError("The model of this judge is elsewhere.")
        chunk = self.encode(rows)
        scores = _predictor(self.model, self.release.facts.columns)(chunk.model_rows)
        return list(verdicts(chunk, iter(scores.tolist()), self.release))


@lru_cache(maxsize=1)
def _predictor(model: bytes, columns: int) -> Predict:
    """Load a model, once in each process."""
    return predictor(model, columns)


def encode(judge: Judge, rows: Sequence[Row]) -> EncodedChunk:
    """Encode some rows in a worker process."""
    return judge.encode(rows)


def judge_here(judge: Judge, rows: Sequence[Row]) -> list[JudgedRow]:
    """Encode and score some rows in a worker process."""
    return judge.judge(rows)


def verdicts(chunk: EncodedChunk, scores: Iterator[float], release: Release) -> Iterator[JudgedRow]:
    """Yield the judged rows of a chunk; takes one score for each of its libsvm rows, in order."""
    for row, review in zip(chunk.rows, chunk.encoded, strict=True):
        if isinstance(review, SentimentError):
            yield JudgedRow(row, review)
        else:
            yield JudgedRow(row, verdict_of(review, [next(scores) for _ in review.rows], release))


def as_text(value: object) -> str:
    """Return an added value as the text of a CSV cell: codes with semicolons, lists of objects as JSON."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "; ".join(value) if all(isinstance(each, str) for each in value) else json.dumps(value)
    return repr(value) if isinstance(value, float) else str(value)
