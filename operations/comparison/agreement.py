"""Agreement of two variants on the same texts, each of which both score (TargetVariant), whatever the weights."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.encoder import Encoder
from chalicelib.release import Release
from chalicelib.sentiment import label_of
from chalicelib.text import words
from operations.aws.command import Aws
from operations.comparison.confidence_sequence import Difference, of_pairs
from operations.comparison.labelled_answers import FeedbackRecord, is_right
from operations.jobs.endpoint_scorer import chunks_of, client_of, score_chunks

MAX_TEXTS = 2_000
SHOWN = 5  # disagreements
CHUNK_BYTES = 100_000  # small requests, so that live traffic never waits long for them


@dataclass(frozen=True)
class Disagreement:
    """A review with its score by each of two variants."""

    review: str
    new: float
    baseline: float


@dataclass(frozen=True)
class Agreement:
    """The share of texts with the same verdict, the mean absolute difference of scores, the strongest disagreements."""

    texts: int
    same_verdict: float
    mean_difference: float
    strongest: tuple[Disagreement, ...]


def score_texts(aws: Aws, encoder: Encoder, endpoint: str, variant: str, reviews: Sequence[str]) -> list[float]:
    """Return a variant's score of each review; raises `EndpointError`."""
    rows = [encoder.row(words(review)) for review in reviews]
    client = client_of(aws, endpoint, variant)
    return [float(score) for score in score_chunks(aws, client, list(chunks_of(rows, CHUNK_BYTES)))]


def measure(reviews: Sequence[str], new: Sequence[float], baseline: Sequence[float], release: Release) -> Agreement:
    """Compare two variants' scores of at least one review."""
    pairs = [Disagreement(*triple) for triple in zip(reviews, new, baseline, strict=True)]
    same = sum(label_of(pair.new, release) == label_of(pair.baseline, release) for pair in pairs)
    differing = [pair for pair in pairs if label_of(pair.new, release) != label_of(pair.baseline, release)]
    strongest = tuple(sorted(differing, key=_gap, reverse=True)[:SHOWN])
    return Agreement(len(pairs), same / len(pairs), sum(map(_gap, pairs)) / len(pairs), strongest)


def _gap(pair: Disagreement) -> float:
    """Return the absolute difference of two scores."""
    return abs(pair.new - pair.baseline)


def paired_accuracy(
    records: Sequence[FeedbackRecord], new: Sequence[float], baseline: Sequence[float], alpha: float
) -> Difference:
    """Return the difference in accuracy on labelled records that both variants scored."""
    right = [
        (is_right(score, record.correction), is_right(other, record.correction))
        for record, score, other in zip(records, new, baseline, strict=True)
    ]
    return of_pairs(right.count((True, False)), right.count((False, True)), len(right), alpha)
