"""The page: what was asked, and its verdict or problem -> HTML, rendered from `static/index.html`.

The template is handed plain values that are ready to be shown; what they say is decided here. Everything is escaped
by Jinja2, which is why this module never makes markup. What it does not do: statuses, headers, or any script.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from chalicelib.assets import FOLDER
from chalicelib.highlight import level, stretches
from chalicelib.predict_request import PredictRequest
from chalicelib.release import Release
from chalicelib.sentiment import LONGEST_REVIEW, MOST_REVIEWS, NOT_SURE, POSITIVE, label_of

EXAMPLES = (
    "This movie is horrible.",
    "One of the best films I have ever seen.",
    "Not good at all: two hours I will never get back, and an ending that makes no sense.",
    "The acting is superb and every frame is beautiful. Sadly the story goes nowhere, and after an hour I was bored.",
)
_SENTENCE_FLOOR = 0.1  # an answer whose strongest effect is below this is not shaded at full strength
_WORD_FLOOR = 0.05


@dataclass(frozen=True)
class PageView:
    """What one answer of the page shows.

    `base` is the path the app is mounted at, "/" or "/prod/". `results` are `answers.result` documents in the order
    of the inquiry's reviews, a single one for a single review. `problem` is set when the whole request failed.
    `text` is kept in the box, and `several` in its checkbox, when there is no inquiry to take them from.
    """

    base: str
    release: Release
    inquiry: PredictRequest | None = None
    results: tuple[dict[str, Any], ...] = ()
    problem: dict[str, Any] | None = None
    text: str = ""
    several: bool = False


def render(view: PageView, asset_version: Callable[[str], str]) -> str:
    """Return the page as HTML; `asset_version` gives the short content hash of a file in `static/`."""
    asked = view.inquiry
    several = asked.several if asked else view.several
    html = _template().render(
        base=view.base,
        here=_own_address(view),
        version_of=asset_version,
        release=view.release,
        band=view.release.facts.not_sure_band,
        measured=_measured(view.release),
        longest_review=LONGEST_REVIEW,
        most_reviews=MOST_REVIEWS,
        examples=EXAMPLES,
        kept_text=_kept_text(view),
        several=several,
        problem=view.problem,
        answer=_answer(view) if view.results and not several else None,
        rows=_rows(view) if several else [],
        counts=Counter(result.get("label", "error") for result in view.results),
        about=_about(view),
    )
    return html.encode("utf-8", errors="replace").decode("utf-8")  # JSON can carry half a surrogate pair


@cache
def _template() -> Template:
    """Load the only template, once."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=percent, points=points, direction=direction)
    return environment.get_template("index.html")


def percent(share: float) -> str:
    """Write a share (0..1) so that only a whole one reads as 100%: `0.974` -> `97%`, `0.999` -> `over 99%`."""
    written = f"{share:.0%}"
    if written == "0%" and share > 0:
        return "under 1%"
    return "over 99%" if written == "100%" and share < 1 else written


def points(effect: float) -> str:
    """Write an effect on a probability in percentage points: `0.123` -> `+12`, `-0.004` -> `−0.4`."""
    size = abs(effect) * 100
    if size < 0.05:
        return "0"
    return f"{'+' if effect > 0 else '−'}{size:.1f}" if size < 0.95 else f"{'+' if effect > 0 else '−'}{size:.0f}"


def direction(effect: float) -> str:
    """Name which way an effect points: up (towards positive), down, or flat where it would be written as 0."""
    if points(effect) == "0":
        return "flat"
    return "up" if effect > 0 else "down"


def _own_address(view: PageView) -> str:
    """Return the page's own address relative to its base, which links to places inside it must repeat."""
    posted = view.results or (view.problem and view.problem["status"] != 404)
    return "predict" if posted else ""


def _kept_text(view: PageView) -> str:
    """Return what the box shows again: the form's own text, else the reviews that were asked about."""
    if view.inquiry is None:
        return view.text
    return view.inquiry.form_text or "\n".join(_review_text(review) for review in view.inquiry.reviews)


def _review_text(review: object) -> str:
    """Return a review as it can be shown; a JSON list may hold other things than text."""
    return review if isinstance(review, str) else "(not text)"


def _answer(view: PageView) -> dict[str, Any]:
    """Return what the page shows of a single verdict."""
    result = view.results[0]
    review = _review_text(view.inquiry.reviews[0]) if view.inquiry else view.text
    sentences = _styled(result["sentences"], _SENTENCE_FLOOR)
    words = [word for word in _styled(result["words"], _WORD_FLOOR) if word["style"] != "flat"]
    return {
        **result,
        "sentences": sentences,
        "words": words,
        "stretches": stretches(review[:LONGEST_REVIEW], sentences, words),
        "unread": max(len(review) - LONGEST_REVIEW, 0),
        "headline": result["label"].capitalize(),
        "chance": _chance(result, view.release),
    }


def _styled(parts: Sequence[Mapping[str, Any]], floor: float) -> list[dict[str, Any]]:
    """Add to each part its style classes: its direction, and how strong it is beside the strongest, or the floor."""
    strongest = max([floor, *(abs(part["effect"]) for part in parts)])
    return [{**part, "style": _style(part["effect"], strongest)} for part in parts]


def _style(effect: float, strongest: float) -> str:
    """Return the style classes of an effect: `flat`, or `up up-3`."""
    towards = direction(effect)
    return towards if towards == "flat" else f"{towards} {towards}-{level(effect, strongest)}"


def _chance(result: dict[str, Any], release: Release) -> str:
    """Say a score in a plain sentence."""
    label, score = result["label"], result["score"]
    if result["known_words"] == 0:
        return "The model knows none of its words, so it has nothing to go by."
    if label == NOT_SURE:
        too_close = label_of(score, release) == NOT_SURE
        why = "too close to call" if too_close else "but it understands too little of it to take a side"
        return f"The model puts the chance that this review is positive at {percent(score)}, {why}."
    chance = score if label == POSITIVE else 1 - score
    return f"The model puts the chance that this review is {label} at {percent(chance)}."


def _rows(view: PageView) -> list[dict[str, Any]]:
    """Return the lines of the results table."""
    reviews: Sequence[object] = view.inquiry.reviews if view.inquiry else ()
    return [_row(review, result) for review, result in zip(reviews, view.results, strict=True)]


def _row(review: object, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return one line of the results table: a verdict with its warnings, or the error in its place."""
    if "error" in result:
        return {"review": _review_text(review), "label": "error", "score": None, "note": result["error"]["detail"]}
    note = " ".join(warning["message"] for warning in result["warnings"])
    score = result["score"] if result["known_words"] else None  # a score that rests on no known word is not told
    return {"review": _review_text(review), "label": result["label"], "score": score, "note": note}


def _about(view: PageView) -> dict[str, str]:
    """Return which release and variant answered, and the request's id, as far as they are known."""
    told: Mapping[str, Any] = view.problem or next((each for each in view.results if "error" not in each), {})
    about = {
        "release": view.release.release_id,
        "variant": told.get("variant", ""),
        "request": told.get("request_id", ""),
    }
    return {name: value for name, value in about.items() if value}


def _measured(release: Release) -> str:
    """Say how often the release was right, and what its band buys; nothing where its facts do not state it."""
    whole, short = (release.facts.metrics.get(asked, {}) for asked in ("test", "test crops"))
    if not {"accuracy", "reviews"} <= whole.keys():
        return ""
    said = (
        f"On {whole['reviews']:,} test reviews that it never saw in training, "
        f"it was right {whole['accuracy']:.1%} of the time"
    )
    if not {"accuracy", "answered", "answered_accuracy"} <= short.keys():
        return f"{said}."
    return (
        f"{said}; on one to three sentences of each, {short['accuracy']:.0%}. Of those short texts it is sure about "
        f"{short['answered']:.0%}, and right in {short['answered_accuracy']:.0%} of what it is sure about."
    )
