"""The use case: reviews -> verdicts, with what moved them, from one call of the endpoint.

A verdict is a label and the probability of positive. It is explained by exact re-scorings: every sentence alone, the
review without each sentence, and the review without each of the words that could move it most (all places of a word
at once). `effect` is the review's score less the score without that part, so above 0 speaks for positive.
What this module does not do: read HTTP, render pages, or decide anything the packaged release does not state.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from chalicelib.errors import BodyTooLargeError, EmptyReviewError, MalformedBodyError, SentimentError
from chalicelib.explanation import Explanation, Parts, explain, part_rows, split_parts
from chalicelib.language import probably_english
from chalicelib.release import Release
from chalicelib.text import words as words_of

LONGEST_REVIEW = 20_000  # characters; what is longer is cut, with a warning
MOST_REVIEWS = 100  # in one request
LARGEST_CALL = 3_900_000  # bytes; a serverless endpoint takes 4 MB
LEAST_KNOWN_WORDS = 0.5  # share of a review's words; with fewer there is no judging it
MOST_ROWS = 2_000  # in one call, explanations included; bounds the endpoint's time

POSITIVE, NEGATIVE, NOT_SURE = "positive", "negative", "not sure"


class Scores(NamedTuple):
    """The endpoint's answer: the probability of positive (0..1) for each row sent, and the variant that answered."""

    values: list[float]
    variant: str


class Scorer(Protocol):
    """Whatever scores libsvm rows: the endpoint, or a stand-in in tests."""

    def scores(self, rows: Sequence[str], remaining_seconds: Callable[[], float]) -> Scores:
        """Return one score a row, in order; raises `SentimentError`, never a partial answer."""
        ...


@dataclass(frozen=True)
class ReviewWarning:
    """Something a reader of a verdict should know: a stable code, and a sentence for people."""

    code: str
    message: str


@dataclass(frozen=True)
class Verdict:
    """One review's answer. `score` is the probability of positive and `known_words` a share, both 0..1."""

    label: str
    score: float
    known_words: float
    judgeable: bool  # False: too few words are known, or it is not English, so the score says nothing
    warnings: tuple[ReviewWarning, ...]
    explanation: Explanation = field(default_factory=Explanation)


@dataclass(frozen=True)
class PredictResponse:
    """The answer to a request: for every review, in order, a verdict or the error that stands in its place."""

    outcomes: list[Verdict | SentimentError]
    variant: str  # "" when no review could be asked about
    rows: int  # rows sent to the endpoint

    @property
    def facts(self) -> dict[str, object]:
        """What the request log holds: rows, variant, and the mean share of known words over what was judged."""
        shares = [outcome.known_words for outcome in self.outcomes if isinstance(outcome, Verdict)]
        known_words = round(sum(shares) / len(shares), 3) if shares else None
        return {"rows": self.rows, "variant": self.variant, "known_words": known_words}


@dataclass(frozen=True)
class _Question:
    """A readable review, with the rows that must be scored to judge and explain it."""

    text: str  # as far as it counts
    known_words: float
    judgeable: bool
    cautions: tuple[ReviewWarning, ...]
    row: str
    parts: Parts | None = None
    part_rows: tuple[str, ...] = ()

    @property
    def rows(self) -> list[str]:
        return [self.row, *self.part_rows]


def judge(
    reviews: Sequence[object],
    release: Release,
    scorer: Callable[[], Scorer],
    remaining_seconds: Callable[[], float],
    *,
    explained: bool,
) -> PredictResponse:
    """Judge up to 100 reviews with one call of the endpoint, which is made only when there is something to ask.

    A review that cannot be read (not text, empty, no room left) yields its error in its place. Raises
    `SentimentError` when the endpoint fails, since then nothing is known of any review.
    """
    if len(reviews) > MOST_REVIEWS:
        raise BodyTooLargeError(f"Send at most {MOST_REVIEWS} reviews in one request; this one has {len(reviews)}.")
    questions = _questions(reviews, release, explained=explained)
    rows = [row for question in questions if isinstance(question, _Question) for row in question.rows]
    answer = scorer().scores(rows, remaining_seconds) if rows else Scores([], "")
    outcomes: list[Verdict | SentimentError] = []
    position = 0
    for question in questions:
        if isinstance(question, _Question):
            scores = answer.values[position : position + len(question.rows)]
            position += len(scores)
            outcomes.append(_verdict(question, scores, release))
        else:
            outcomes.append(question)
    return PredictResponse(outcomes, answer.variant, len(rows))


def _questions(reviews: Sequence[object], release: Release, *, explained: bool) -> list[_Question | SentimentError]:
    """Encode every review, then spend what room the call has left on explanations, in order."""
    room = LARGEST_CALL
    questions: list[_Question | SentimentError] = []
    for review in reviews:
        try:
            question = _question(review, release)
            if len(question.row) >= room:
                raise BodyTooLargeError(
                    "There was no room left for this review in one call. Send it in another request."
                )
        except SentimentError as error:
            questions.append(error)
            continue
        room -= len(question.row) + 1
        questions.append(question)
    return _with_parts(questions, release, room) if explained else questions


def _with_parts(
    plain: list[_Question | SentimentError], release: Release, room: int
) -> list[_Question | SentimentError]:
    """Add the rows that explain each review, as far as bytes and rows last; a review is told when they do not."""
    rows_left = MOST_ROWS - len(plain)
    questions: list[_Question | SentimentError] = []
    for question in plain:
        if isinstance(question, SentimentError):
            questions.append(question)
            continue
        most = min(rows_left, room // (len(question.row) + 1))
        parts = split_parts(question.text, release.encoder, largest_rows=most)
        rows = tuple(part_rows(parts, release.encoder))
        room -= sum(len(row) + 1 for row in rows)
        rows_left -= len(rows)
        cautions = question.cautions
        if parts.cut:
            cautions += (ReviewWarning("explained-in-part", "The review has more parts than one answer explains."),)
        questions.append(replace(question, cautions=cautions, parts=parts, part_rows=rows))
    return questions


def _question(review: object, release: Release) -> _Question:
    """Read one review: the question without explanations."""
    if not isinstance(review, str):
        raise MalformedBodyError("A review must be a JSON string.")
    if not any(character.isprintable() and not character.isspace() for character in review):
        raise EmptyReviewError("The review is empty. Write at least one word.")
    text = review[:LONGEST_REVIEW]
    words = words_of(text)
    known = release.encoder.vocabulary.known_share(words)
    english = probably_english(text, words, known)
    cautions = _cautions(review, english, known, release)
    judgeable = english and known >= LEAST_KNOWN_WORDS
    return _Question(text, known, judgeable, cautions, release.encoder.row(words))


def _cautions(review: str, english: bool, known: float, release: Release) -> tuple[ReviewWarning, ...]:
    """Say what makes a verdict on this review less certain than its score."""
    found: list[ReviewWarning] = []
    if len(review) > LONGEST_REVIEW:
        found.append(ReviewWarning("cut", f"Only the first {LONGEST_REVIEW:,} characters were read."))
    if not english:
        found.append(
            ReviewWarning("not-english", "This does not look like English, the only language the model has read.")
        )
    if known == 0:
        found.append(
            ReviewWarning("no-known-words", "None of its words is known to the model, so there is nothing to judge.")
        )
    elif known < max(release.facts.few_known_words, LEAST_KNOWN_WORDS):
        too_few = ", too few to judge it" if known < LEAST_KNOWN_WORDS else ""
        found.append(
            ReviewWarning("few-known-words", f"Only {known:.0%} of its words are known to the model{too_few}.")
        )
    return tuple(found)


def _verdict(question: _Question, scores: list[float], release: Release) -> Verdict:
    """Turn a review's scores (its own first, then its parts') into a verdict."""
    score = scores[0]
    explanation = explain(question.parts, score, scores[1:]) if question.parts else Explanation()
    label = label_of(score, release) if question.judgeable else NOT_SURE
    return Verdict(label, score, question.known_words, question.judgeable, question.cautions, explanation)


def label_of(score: float, release: Release) -> str:
    """Name the score of a review that can be judged: "not sure" strictly inside the release's band."""
    low, high = release.facts.not_sure_band
    if low < score < high:
        return NOT_SURE
    return POSITIVE if score >= high else NEGATIVE
