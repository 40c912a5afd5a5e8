"""The page: a form with the verdicts or the error of a request, rendered to HTML from `static/index.html`.

The template shows `PageView` and `VerdictView`; their texts are written here. Jinja2 escapes everything, so this module
never builds markup.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from chalicelib import feedback, receipt_key
from chalicelib.assets import FOLDER
from chalicelib.errors import NotFoundError, SentimentError
from chalicelib.explanation import InfluentialWord, Sentence
from chalicelib.feedback import CORRECTIONS, Collection
from chalicelib.highlight import Segment, divide, level
from chalicelib.predict_request import PredictRequest
from chalicelib.release import Release
from chalicelib.sentiment import (
    MAX_REVIEWS,
    NEGATIVE,
    NOT_ENGLISH,
    NOT_SURE,
    POSITIVE,
    PredictResponse,
    ReviewWarning,
    Verdict,
    label_of,
)
from chalicelib.text import MAX_REVIEW_LENGTH, cut

EXAMPLES = (  # clearly negative, clearly positive, mixed, not sure, and long
    "This movie is horrible.",
    "One of the best films I have ever seen.",
    "The acting is superb and every frame is beautiful. Sadly the story goes nowhere, and after an hour I was bored.",
    "An old man walks his dog, and then he walks home.",
    "I wanted to like this film, and for the first ten minutes I did. The photography is beautiful and the "
    "opening scene on the ferry is genuinely tense. Then somebody opens their mouth. The dialogue is dreadful, "
    "every line explains what we have just seen, and the two leads have no chemistry at all. The plot makes no "
    "sense: a policeman who cannot find a car with a broken window in an empty car park is supposed to catch a "
    "killer. By the second hour I was bored, and by the end I was annoyed. The music is the worst I have heard "
    "this year, a loud mess that never stops. It is a shame, because the director has made fine films before, and "
    "old Mr. Harris, in a small part, is excellent. But two good minutes do not save a waste of two hours. I "
    "would not recommend it to anyone.",
)
_STRONGEST_SENTENCE = 0.5  # the distance from 0.5 of a sentence that is shaded at full strength
_MAX_WHOLE_SEGMENTS = 80  # sentences and the text between them; a longer review is shortened first
_DECISIVE_SENTENCES = 10
_STRONGEST_WORD = 0.3  # the effect on its sentence of a word that is marked at full strength


@dataclass(frozen=True)
class PageView:
    """What the page shows: nothing but the form, or the response to a request, or its error.

    `base` is the path the app is mounted at, "/" or "/prod/"; `path` is the path below it that a form was posted to, ""
    for none. `thanks` is the reply to feedback that was stored.
    """

    base: str
    release: Release
    request: PredictRequest | None = None
    response: PredictResponse | None = None
    error: SentimentError | None = None
    request_id: str = ""
    path: str = ""
    collection: Collection | None = None
    thanks: str = ""

    @property
    def several(self) -> bool:
        """Whether the checkbox for several reviews is set."""
        return bool(self.request and self.request.several)

    @property
    def action(self) -> str:
        """The page's own address relative to its base, which links to places on the page must repeat."""
        if self.path == "feedback" and not isinstance(self.error, NotFoundError):
            return self.path
        return "predict" if self.response or (self.error and not isinstance(self.error, NotFoundError)) else ""

    @property
    def text(self) -> str:
        """The content of the text box: the form's own text, or the reviews of a JSON request."""
        if self.request is None:
            return ""
        return self.request.text or "\n".join(_text_of(review) for review in self.request.reviews)

    @property
    def origin(self) -> dict[str, str]:
        """The release, the variant and the request's id, as far as they are known."""
        variant = self.response.variant if self.response else ""
        origin = {"release": self.release.release_id, "variant": variant, "request": self.request_id}
        return {name: value for name, value in origin.items() if value}


def storage(collection: Collection | None) -> str:
    """Return what is stored of reviews, as sentences."""
    if not collection:
        return "Reviews are not stored or logged."
    notices = (collection.privacy_notice, collection.sampling_notice)
    return " ".join(filter(None, ("Reviews are not logged. You can send feedback on a verdict.", *notices)))


class Choice(NamedTuple):
    """A button of the feedback form: its value and its text."""

    correction: str
    text: str


@dataclass(frozen=True)
class FeedbackView:
    """The feedback form under a verdict."""

    question: str
    choices: tuple[Choice, ...]
    review: str
    receipt: str
    notice: str


class Mark(NamedTuple):
    """An entry of the legend."""

    tag: str
    towards: str  # "up" or "down"
    name: str
    meaning: str


_MARKS = (
    Mark("span", "up", "Shaded sentences ▲", "are likely to be positive on their own, with that probability."),
    Mark("span", "down", "Shaded sentences ▼", "are likely to be negative on their own, with that probability."),
    Mark("mark", "up", "Underlined words", "make their sentence more positive. Select a word for its effect."),
    Mark("mark", "down", "Words with a wavy underline", "make it more negative. Select a word for its effect."),
)


@dataclass(frozen=True)
class VerdictView:
    """The verdict on a single review, with its texts and its highlighted segments."""

    verdict: Verdict
    headline: str
    summary: str
    words: tuple[InfluentialWord, ...]  # those with a visible effect
    segments: tuple[Segment, ...]
    unread: int  # characters that were not read
    band: tuple[float, float]  # of scores that are not sure

    def sentence_style(self, sentence: Sentence) -> str:
        """Return the style classes of a sentence; one that is not sure on its own is flat."""
        low, high = self.band
        return "flat" if low < sentence.score < high else _style(sentence.score - 0.5, _STRONGEST_SENTENCE)

    def sentence_chance(self, sentence: Sentence) -> str:
        """Return the probability of the likelier label of a sentence."""
        return percent(max(sentence.score, 1 - sentence.score))

    def word_style(self, word: InfluentialWord) -> str:
        """Return the style classes of a word."""
        return _style(word.sentence_effect, _STRONGEST_WORD)

    def word_note(self, word: InfluentialWord) -> str:
        """Return a word's effect as a sentence."""
        verb = "raises" if word.sentence_effect > 0 else "lowers"
        return f"“{word.text}” {verb} its sentence’s probability of positive: {points(word.sentence_effect)} points."

    @property
    def is_english(self) -> bool:
        """Whether the review looks like English."""
        return all(warning.code != NOT_ENGLISH for warning in self.verdict.warnings)

    @property
    def warnings(self) -> list[ReviewWarning]:
        """The warnings that the summary does not state."""
        return [warning for warning in self.verdict.warnings if warning.code != NOT_ENGLISH]

    @property
    def decisive(self) -> list[Segment | None]:
        """The most decisive segments of a long review, with None for what is left out; empty for a short review."""
        if len(self.segments) <= _MAX_WHOLE_SEGMENTS:
            return []
        sentences = sorted(
            (segment.sentence for segment in self.segments if segment.sentence),
            key=lambda sentence: -abs(sentence.score - 0.5),
        )
        kept = {sentence.start for sentence in sentences[:_DECISIVE_SENTENCES]}
        chosen = [segment if segment.sentence and segment.sentence.start in kept else None for segment in self.segments]
        return [each for each, before in zip(chosen, [chosen[0], *chosen], strict=False) if each or before]

    @property
    def legend(self) -> list[Mark]:
        """The meaning of the marks that occur, in a fixed order."""
        scored = [segment.sentence for segment in self.segments if segment.sentence]
        of_sentences = {self.sentence_style(sentence).split()[0] for sentence in scored}
        of_words = {
            direction(piece.word.sentence_effect) for each in self.segments for piece in each.pieces if piece.word
        }
        occurring = {"span": of_sentences, "mark": of_words}
        return [mark for mark in _MARKS if mark.towards in occurring[mark.tag]]


class Row(NamedTuple):
    """A row of the results table: a verdict with its warnings, or an error."""

    review: str
    label: str
    score: float | None  # None: no word is known, so the score means nothing
    note: str


def render(view: PageView, asset_version: Callable[[str], str]) -> str:
    """Return the page as HTML; `asset_version` returns the content hash of a file in `static/`."""
    rows = _rows(view) if view.several else []
    html = _template().render(
        view=view,
        version_of=asset_version,
        band=view.release.facts.not_sure_band,
        accuracy=_accuracy(view.release),
        max_review_length=MAX_REVIEW_LENGTH,
        max_reviews=MAX_REVIEWS,
        examples=EXAMPLES,
        answer=_verdict_view(view),
        feedback=_feedback_view(view),
        storage=storage(view.collection),
        rows=rows,
        counts=Counter(row.label for row in rows),
    )
    return html.encode("utf-8", errors="replace").decode("utf-8")  # JSON can contain half a surrogate pair


def template(name: str, **filters: Callable[..., str]) -> Template:
    """Load a template of `static/`, with these filters; it escapes everything and refuses undefined names."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters)
    return environment.get_template(name)


@cache
def _template() -> Template:
    """Load the page's template, once."""
    return template("index.html", percent=percent, points=points, direction=direction)


def percent(share: float) -> str:
    """Format a share (0..1) so that only 1.0 becomes 100%: `0.974` -> `97%`, `0.999` -> `over 99%`."""
    formatted = f"{share:.0%}"
    if formatted == "0%" and share > 0:
        return "under 1%"
    return "over 99%" if formatted == "100%" and share < 1 else formatted


def points(effect: float) -> str:
    """Format an effect on a probability in percentage points: `0.123` -> `+12`, `-0.004` -> `−0.4`."""
    size = abs(effect) * 100
    if size < 0.05:
        return "0"
    return f"{'+' if effect > 0 else '−'}{size:.1f}" if size < 0.95 else f"{'+' if effect > 0 else '−'}{size:.0f}"


def direction(effect: float) -> str:
    """Return the direction of an effect: up (towards positive), down, or flat if it is formatted as 0."""
    if points(effect) == "0":
        return "flat"
    return "up" if effect > 0 else "down"


def _style(effect: float, strongest: float) -> str:
    """Return the style classes of an effect, relative to one that is shown at full strength: `flat`, or `up up-3`."""
    towards = direction(effect)
    return towards if towards == "flat" else f"{towards} {towards}-{level(effect, strongest)}"


def _text_of(review: object) -> str:
    """Return a review as text; a JSON list may have items that are not strings."""
    return review if isinstance(review, str) else "(not text)"


def _verdict_view(view: PageView) -> VerdictView | None:
    """Return the view of a single verdict."""
    if not (view.request and view.response) or view.several:
        return None
    verdict = view.response.single
    review = _text_of(view.request.reviews[0])
    words = tuple(word for word in verdict.explanation.words if direction(word.sentence_effect) != "flat")
    return VerdictView(
        verdict=verdict,
        headline=verdict.label.capitalize(),
        summary=_summary(verdict, view.release),
        words=words,
        segments=tuple(divide(cut(review), verdict.explanation.sentences, words)),
        unread=max(len(review) - MAX_REVIEW_LENGTH, 0),
        band=view.release.facts.not_sure_band,
    )


def _feedback_view(view: PageView) -> FeedbackView | None:
    """Return the view of the feedback form: under a single verdict, if feedback is on and its key can be read."""
    if not (view.request and view.response and view.collection) or view.several:
        return None
    key = receipt_key.find(view.collection)
    if not key:
        return None
    verdict, review = view.response.single, _text_of(view.request.reviews[0])
    given = feedback.answer(review, verdict.label, verdict.score, view.release.release_id, view.response.variant)
    return FeedbackView(
        question="Which is it?" if verdict.label == NOT_SURE else "Was this right?",
        choices=feedback_choices(verdict.label),
        review=cut(review),
        receipt=feedback.write_receipt(given, key),
        notice=view.collection.privacy_notice,
    )


def feedback_choices(label: str) -> tuple[Choice, ...]:
    """Return the buttons for a verdict: Yes and two corrections, or all three labels if the verdict is "not sure"."""
    if label == NOT_SURE:
        return tuple(Choice(correction, correction.capitalize()) for correction in CORRECTIONS)
    others = [Choice(correction, f"No, it is {correction}") for correction in CORRECTIONS if correction != label]
    return (Choice(label, "Yes"), *others)


def _summary(verdict: Verdict, release: Release) -> str:
    """Return a verdict's probability as a sentence."""
    for warning in verdict.warnings:
        if warning.code == NOT_ENGLISH:
            return warning.message
    if verdict.known_words == 0:
        return "The model knows none of these words."
    likelier = POSITIVE if verdict.score >= 0.5 else NEGATIVE
    chance = percent(max(verdict.score, 1 - verdict.score))
    if verdict.label != NOT_SURE:
        return f"{_capitalized(chance)} likely to be {verdict.label}."
    if label_of(verdict.score, release) == NOT_SURE:
        return f"Leans {likelier} ({chance}), but not enough to call."
    return (
        f"{_capitalized(chance)} likely to be {likelier}, but the model understands too little of the review to call."
    )


def _capitalized(text: str) -> str:
    return text[0].upper() + text[1:]


def _rows(view: PageView) -> list[Row]:
    """Return the rows of the results table."""
    if not (view.request and view.response):
        return []
    return [
        _row(_text_of(review), outcome)
        for review, outcome in zip(view.request.reviews, view.response.outcomes, strict=True)
    ]


def _row(review: str, outcome: Verdict | SentimentError) -> Row:
    """Return the row of one review."""
    if isinstance(outcome, SentimentError):
        return Row(review, "error", None, outcome.detail)
    note = " ".join(warning.message for warning in outcome.warnings)
    return Row(review, outcome.label, outcome.score if outcome.known_words else None, note)


def _accuracy(release: Release) -> str:
    """Return the release's accuracy and coverage as sentences; "" if its facts do not state them."""
    whole, excerpts = (release.facts.metrics.get(name, {}) for name in ("test", "test crops"))
    if not {"accuracy", "reviews"} <= whole.keys():
        return ""
    sentences = f"It labels {whole['accuracy']:.1%} of {whole['reviews']:,} test reviews correctly."
    if not {"accuracy", "answered", "answered_accuracy"} <= excerpts.keys():
        return sentences
    return (
        f"{sentences} Of excerpts of one to three sentences it labels {excerpts['accuracy']:.0%} correctly; it is sure "
        f"about {excerpts['answered']:.0%} of them, and correct on {excerpts['answered_accuracy']:.0%} of those."
    )
