"""The use case: from reviews to verdicts and their explanations, with one call of the endpoint.

A verdict is a label and the probability that the review is positive. It is explained by scoring its sentences alone,
with and without their most influential words, in the same call; see `explanation`. The work for a request is limited:
once the budget is used up, later reviews are judged without an explanation. HTTP and HTML are elsewhere, and all
thresholds are the packaged release's.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from chalicelib import embedded_metrics
from chalicelib.embedded_metrics import Metrics
from chalicelib.errors import BodyTooLargeError, EmptyReviewError, MalformedBodyError, SentimentError
from chalicelib.explanation import Budget, Explanation, Parts, explain_score, split_parts
from chalicelib.language import probably_english
from chalicelib.release import Release
from chalicelib.text import MAX_REVIEW_LENGTH, cut
from chalicelib.text import words as words_of

MAX_REVIEWS = 100  # in one request
MAX_CALL_BYTES = 3_900_000  # a serverless endpoint accepts 4 MB
MAX_CALL_ROWS = 2_000  # explanations included; limits the endpoint's response time
MAX_EXPLANATION_WORK = 60_000  # words encoded for explanations, over all reviews of a request
EXPLANATION_SECONDS = 5.0  # for encoding all reviews of a request; after that, no further review is explained
MIN_KNOWN_WORDS = 0.5  # share of a review's words; with fewer it cannot be judged

NOT_ENGLISH = "not-english"  # the code of a warning
POSITIVE, NEGATIVE, NOT_SURE = "positive", "negative", "not sure"


class Scores(NamedTuple):
    """The probability of positive (0..1) for each row, and the name of the variant that scored them."""

    values: list[float]
    variant: str


class Scorer(Protocol):
    """Scores libsvm rows: the endpoint, or a fake in tests."""

    def scores(self, rows: Sequence[str], remaining_seconds: Callable[[], float]) -> Scores:
        """Return one score per row, in order; raises `SentimentError`, never a partial result."""
        ...


class ReviewWarning(NamedTuple):
    """A reason to trust a verdict less: a stable code, and a sentence for people."""

    code: str
    message: str


EXPLAINED_IN_PART = ReviewWarning("explained-in-part", "The review is too long to explain all of it.")
NOT_EXPLAINED = ReviewWarning(
    "not-explained", "The request is too large to explain every review. Send this one in a request of its own."
)


class Verdict(NamedTuple):
    """The result for one review. `score` is the probability of positive and `known_words` a share, both 0..1."""

    label: str
    score: float
    known_words: float
    judgeable: bool  # False: too few words are known, or it is not English, so the score means nothing
    warnings: tuple[ReviewWarning, ...]
    explanation: Explanation = Explanation()


class PredictResponse(NamedTuple):
    """The results of a request: a verdict or an error for each review, in order."""

    outcomes: list[Verdict | SentimentError]
    variant: str  # "" if the endpoint was not called
    rows: int  # rows sent to the endpoint

    @property
    def single(self) -> Verdict:
        """The verdict on the only review; raises its error if there is none."""
        outcome = self.outcomes[0]
        if isinstance(outcome, SentimentError):
            raise outcome
        return outcome

    def without_explanations(self) -> "PredictResponse":
        """Return the same results without explanations; a verdict that had one gets a warning."""
        return self._replace(outcomes=[_without_explanation(outcome) for outcome in self.outcomes])

    @property
    def log_fields(self) -> dict[str, object]:
        """The fields of the request log: rows, variant, and the mean share of known words over all verdicts."""
        shares = [outcome.known_words for outcome in self.outcomes if isinstance(outcome, Verdict)]
        known_words = round(sum(shares) / len(shares), 3) if shares else None
        return {"rows": self.rows, "variant": self.variant, "known_words": known_words}

    @property
    def metrics(self) -> Metrics:
        """The metrics of all verdicts, none if every review has an error."""
        verdicts = [outcome for outcome in self.outcomes if isinstance(outcome, Verdict)]
        labels = {
            name: [int(verdict.label == label) for verdict in verdicts]
            for name, label in zip(embedded_metrics.LABELS, (POSITIVE, NEGATIVE, NOT_SURE), strict=True)
        }
        known_words = [round(verdict.known_words, 4) for verdict in verdicts]
        scores = [round(verdict.score, 4) for verdict in verdicts]
        shares = {embedded_metrics.KNOWN_WORDS: known_words, embedded_metrics.SCORE: scores}
        return {**labels, **shares} if verdicts else {}


def _without_explanation(outcome: Verdict | SentimentError) -> Verdict | SentimentError:
    """Return a verdict without its explanation, with a warning; anything else is returned as it is."""
    if isinstance(outcome, SentimentError) or not outcome.explanation.sentences:
        return outcome
    kept = tuple(warning for warning in outcome.warnings if warning is not EXPLAINED_IN_PART)
    return outcome._replace(warnings=(*kept, NOT_EXPLAINED), explanation=Explanation())


class EncodedReview(NamedTuple):
    """A review with the rows that are scored to judge and explain it."""

    text: str  # up to MAX_REVIEW_LENGTH
    known_words: float
    judgeable: bool
    warnings: tuple[ReviewWarning, ...]
    row: str
    parts: Parts | None = None

    @property
    def rows(self) -> list[str]:
        """The rows to score: the review's own first, then those of its parts."""
        return [self.row, *(self.parts.rows.values() if self.parts else ())]


def predict(
    reviews: Sequence[object],
    release: Release,
    scorer: Callable[[], Scorer],
    remaining_seconds: Callable[[], float],
    *,
    explain: bool,
) -> PredictResponse:
    """Judge up to 100 reviews with one call of the endpoint, or none if no review has words.

    A review that cannot be judged (not a string, empty, no room in the call) gets its own error. Raises
    `SentimentError` if the call fails.
    """
    if len(reviews) > MAX_REVIEWS:
        raise BodyTooLargeError(f"Send at most {MAX_REVIEWS} reviews in one request; this one has {len(reviews)}.")
    deadline = remaining_seconds() - EXPLANATION_SECONDS
    encoded, bytes_left = _encode_all(reviews, release)
    if explain:
        encoded = _add_parts(encoded, release, bytes_left, lambda: remaining_seconds() > deadline)
    rows = [row for review in encoded if isinstance(review, EncodedReview) for row in review.rows]
    scores = scorer().scores(rows, remaining_seconds) if rows else Scores([], "")
    remaining = iter(scores.values)
    outcomes = [
        review
        if isinstance(review, SentimentError)
        else verdict_of(review, [next(remaining) for _ in review.rows], release)
        for review in encoded
    ]
    return PredictResponse(outcomes, scores.variant, len(rows))


def _encode_all(reviews: Sequence[object], release: Release) -> tuple[list[EncodedReview | SentimentError], int]:
    """Encode every review; returns them with the bytes that are left of the call."""
    bytes_left = MAX_CALL_BYTES
    encoded: list[EncodedReview | SentimentError] = []
    for review in reviews:
        try:
            candidate = encode_review(review, release)
            if len(candidate.row) >= bytes_left:
                raise BodyTooLargeError(
                    "The reviews before this one filled the request to the model. Send it in another request."
                )
        except SentimentError as error:
            encoded.append(error)
            continue
        bytes_left -= len(candidate.row) + 1
        encoded.append(candidate)
    return encoded, bytes_left


def encode_explained(review: object, release: Release) -> EncodedReview:
    """Encode one review with its parts, with the budget of a request of its own; raises `SentimentError`."""
    encoded = encode_review(review, release)
    budget = Budget(MAX_CALL_ROWS - 1, MAX_CALL_BYTES - len(encoded.row), MAX_EXPLANATION_WORK)
    return _with_parts(encoded, split_parts(encoded.text, release.encoder, budget))


def _with_parts(review: EncodedReview, parts: Parts | None) -> EncodedReview:
    """Add the parts of a review; warns if the budget had no room for them (None: for any)."""
    if parts is None or (parts.over_budget and not parts.rows):
        return review._replace(warnings=(*review.warnings, NOT_EXPLAINED))
    warnings = (*review.warnings, EXPLAINED_IN_PART) if parts.truncated else review.warnings
    return review._replace(warnings=warnings, parts=parts)


def _add_parts(
    reviews: list[EncodedReview | SentimentError],
    release: Release,
    bytes_left: int,
    in_time: Callable[[], bool],
) -> list[EncodedReview | SentimentError]:
    """Add the rows that explain each review, in order, as far as the budget and the time go; warn where they end."""
    budget = Budget(MAX_CALL_ROWS - len(reviews), bytes_left, MAX_EXPLANATION_WORK)
    extended: list[EncodedReview | SentimentError] = []
    exhausted = False
    for review in reviews:
        if isinstance(review, SentimentError):
            extended.append(review)
            continue
        exhausted = exhausted or not in_time()
        parts = None if exhausted else split_parts(review.text, release.encoder, budget)
        exhausted = parts is None or parts.over_budget
        extended.append(_with_parts(review, parts))
    return extended


def encode_review(review: object, release: Release) -> EncodedReview:
    """Encode one review, without its parts; raises `SentimentError`."""
    if not isinstance(review, str):
        raise MalformedBodyError("A review must be a JSON string.")
    if not any(character.isprintable() and not character.isspace() for character in review):
        raise EmptyReviewError("The review is empty. Write at least one word.")
    text = cut(review)
    words = words_of(text)
    known = release.encoder.known_share(words)
    english = probably_english(text, words, release.encoder.vocabulary.known_share(words))
    warnings = _warnings(review, english, known, release)
    judgeable = english and known >= MIN_KNOWN_WORDS
    return EncodedReview(text, known, judgeable, warnings, release.encoder.row(words))


def _warnings(review: str, english: bool, known: float, release: Release) -> tuple[ReviewWarning, ...]:
    """Return what makes the verdict on a review less certain than its score."""
    found: list[ReviewWarning] = []
    if len(review) > MAX_REVIEW_LENGTH:
        found.append(ReviewWarning("cut", f"Only the first {MAX_REVIEW_LENGTH:,} characters were read."))
    if not english:
        message = "This does not look like English, the only language that the model was trained on."
        found.append(ReviewWarning(NOT_ENGLISH, message))
    if known == 0:
        found.append(
            ReviewWarning("no-known-words", "The model knows none of the words, so it cannot judge the review.")
        )
    elif known < max(release.facts.few_known_words, MIN_KNOWN_WORDS):
        too_few = ", too few to judge the review" if known < MIN_KNOWN_WORDS else ""
        found.append(ReviewWarning("few-known-words", f"The model knows only {known:.0%} of the words{too_few}."))
    return tuple(found)


def verdict_of(review: EncodedReview, scores: list[float], release: Release) -> Verdict:
    """Convert the scores of a review's rows, in their order, into a verdict."""
    score = scores[0]
    explanation = explain_score(review.parts, score, scores[1:]) if review.parts else Explanation()
    label = label_of(score, release) if review.judgeable else NOT_SURE
    return Verdict(label, score, review.known_words, review.judgeable, review.warnings, explanation)


def label_of(score: float, release: Release) -> str:
    """Return the label of a score: "not sure" strictly inside the release's band."""
    low, high = release.facts.not_sure_band
    if low < score < high:
        return NOT_SURE
    return POSITIVE if score >= high else NEGATIVE
