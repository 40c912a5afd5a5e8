from collections.abc import Callable, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from chalicelib import release
from chalicelib.errors import EmptyReviewError, SentimentError
from chalicelib.explanation import Explanation, InfluentialWord, Sentence
from chalicelib.negotiation import Representation
from chalicelib.pages import PageView, direction, percent, points, render
from chalicelib.predict_request import PredictRequest
from chalicelib.sentiment import PredictResponse, ReviewWarning, Scores, Verdict, predict
from chalicelib.text import MAX_REVIEW_LENGTH, Span

RELEASE = release.load()
STILL_IN_THE_BOX = "Your text is still in the box"


class LengthScorer:
    """Scores a row by its number of columns, so that leaving out a word changes the score."""

    def scores(self, rows: Sequence[str], remaining_seconds: Callable[[], float]) -> Scores:
        return Scores([0.5 + (row.count(":") % 50) / 100 for row in rows], "blue")


class BusyError(SentimentError):
    """An error of the server that may pass."""

    title = "Busy"
    status = 503
    retry_after_seconds = 2


def request_of(*reviews: object, several: bool = False, text: str = "") -> PredictRequest:
    return PredictRequest(Representation.HTML, text, reviews, several, not several)


def view_of(*reviews: object, several: bool = False, text: str = "") -> PageView:
    """Create the view of a response, as the app does."""
    request = request_of(*reviews, several=several, text=text)
    response = predict(reviews, RELEASE, lambda: LengthScorer(), lambda: 10.0, explain=request.explain)
    return PageView("/", RELEASE, request, response, request_id="request-1")


def view_with(**changes: Any) -> PageView:
    """Create the view of a review whose verdict has the given fields."""
    view = view_of("A good film.", text="A good film.")
    assert view.response
    verdict: Verdict = view.response.single._replace(**changes)
    return replace(view, response=PredictResponse([verdict], "blue", 1))


def view_of_error(error: SentimentError, text: str = "") -> PageView:
    return PageView("/", RELEASE, request_of(text=text), error=error, request_id="r-1")


class Elements(HTMLParser):
    """Every start tag of a page with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


class Text(HTMLParser):
    """All text of a page."""

    data = ""

    def handle_data(self, data: str) -> None:
        self.data += data


def page(view: PageView) -> str:
    return render(view, lambda name: f"hash-of-{name}")


def shown(view: PageView) -> str:
    """Return the part of the page that is shown without scripts."""
    return page(view).split("<template")[0]


def text_of(html: str) -> str:
    """Return a page's text, with white space collapsed."""
    reader = Text()
    reader.feed(html)
    return " ".join(reader.data.split())


def test_a_get_request_shows_the_form_without_a_verdict() -> None:
    html = shown(PageView("/", RELEASE))
    assert '<form id="predict" class="panel" method="post" action="predict#answer"' in html
    assert "<article" not in html
    assert RELEASE.release_id in html


def test_the_page_begins_with_the_doctype() -> None:
    assert page(PageView("/", RELEASE)).startswith("<!doctype html>")


def test_the_base_is_the_path_the_app_is_mounted_at() -> None:
    assert '<base href="/prod/">' in page(PageView("/prod/", RELEASE))


def test_links_to_assets_have_content_hashes() -> None:
    html = page(PageView("/", RELEASE))
    assert 'href="static/style.css?v=hash-of-style.css"' in html
    assert 'src="static/app.js?v=hash-of-app.js"' in html


def test_the_page_complies_with_its_content_security_policy() -> None:
    for tag, attributes in Elements(page(view_of("A good film. Bad end."))).tags:
        assert tag != "style"
        assert tag != "script" or attributes["src"]
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        assert not any((value or "").startswith(("data:", "javascript:", "http:")) for value in attributes.values())


def test_a_verdict_has_its_probability_and_origin() -> None:
    text = text_of(page(view_with(label="positive", score=0.974)))
    assert "Positive" in text
    assert "97% likely to be positive." in text
    assert "variant blue" in text
    assert "request request-1" in text


def test_a_negative_verdict_has_the_probability_of_negative() -> None:
    assert "92% likely to be negative." in text_of(page(view_with(label="negative", score=0.08)))


def test_a_close_verdict_states_its_leaning_and_the_band() -> None:
    low, high = (percent(bound) for bound in RELEASE.facts.not_sure_band)
    text = text_of(page(view_with(label="not sure", score=0.499)))
    assert "Leans negative (50%), but not enough to call." in text
    assert f"“Not sure” means a probability between {low} and {high}" in text


def test_a_sure_score_without_a_label_is_not_called_close() -> None:
    text = text_of(page(view_with(label="not sure", score=0.974)))
    assert "97% likely to be positive, but the model understands too little of the review to call." in text
    assert "Leans" not in text


def test_a_review_without_known_words_has_no_probability() -> None:
    view = view_of("Xyzzyq.", text="Xyzzyq.")
    assert view.response
    assert view.response.single.known_words == 0
    html = page(view)
    assert 'class="scale"' not in html
    assert "The model knows none of these words." in text_of(html)


def test_warnings_are_listed() -> None:
    html = page(view_with(warnings=(ReviewWarning("cut", "Only a part was read."),)))
    assert "<li>Only a part was read.</li>" in html


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", "</textarea><img src=x onerror=a()>", '"><b>', "{{ 7 }}"]
)
def test_a_review_is_always_shown_as_text(hostile: str) -> None:
    tags = Elements(page(view_of(hostile + " good film", text=hostile + " good film"))).tags
    harmless = Elements(page(view_of("b good film", text="b good film"))).tags
    assert {tag for tag, _ in tags} <= {tag for tag, _ in harmless}
    assert len([tag for tag, _ in tags if tag == "script"]) == len([tag for tag, _ in harmless if tag == "script"])


def test_the_box_keeps_the_text_with_a_leading_line_break() -> None:
    html = page(view_of("\n good & bad", text="\n good & bad"))
    assert ">\n\n good &amp; bad</textarea>" in html  # browsers drop the first line break after the tag


def test_the_box_shows_the_reviews_of_a_json_request() -> None:
    assert ">\ngood\n(not text)</textarea>" in page(view_of("good", 7, several=True))


def test_a_failed_request_keeps_its_text_and_offers_a_retry() -> None:
    html = shown(view_of_error(BusyError("Try again."), text="my <review>"))
    assert ">\nmy &lt;review&gt;</textarea>" in html
    assert "It may work again in 2 seconds" in html
    assert "Try again</button>" in html
    assert "request <code>r-1" in html


@pytest.mark.parametrize(("text", "kept"), [(" \n", False), ("x", True)])
def test_only_a_box_with_text_is_reported_as_kept(text: str, kept: bool) -> None:
    assert (STILL_IN_THE_BOX in shown(view_of_error(EmptyReviewError("Write."), text))) is kept


def test_an_error_of_the_caller_offers_no_retry() -> None:
    assert "Try again</button>" not in shown(view_of_error(EmptyReviewError("Write.")))


def test_several_reviews_are_a_table_with_errors_in_their_rows() -> None:
    html = shown(view_of("A good film.", 7, "Xyzzyq.", several=True, text="..."))
    assert html.count("<tr class=") == 3
    assert "A review must be a JSON string." in html
    assert 'value="on" checked' in html


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert page(view_of("good \ud83c film", text="good \ud83c film")).encode("utf-8")


def test_a_long_review_states_how_much_was_not_read() -> None:
    html = page(view_of("good " * (MAX_REVIEW_LENGTH // 5) + "never read " * 100))
    assert "The last 1,100 characters were not read" in html
    assert "never read" not in html.split('class="reading"')[1]


def test_the_direction_of_an_effect_is_not_shown_by_colour_alone() -> None:
    explanation = Explanation(
        (Sentence("A good film.", 0, 12, score=0.9, effect=0.3),),
        (InfluentialWord("good", (Span(2, 6),), None, sentence_effect=-0.02, sentence=0),),
    )
    html = page(view_with(explanation=explanation))
    assert '<span class="sentence up up-4">A <mark class="down down-1" tabindex="0"' in html
    assert "lowers its sentence’s probability of positive: −2 points." in html
    assert "▲" in html.split('class="reading"')[1].split("</div>")[0]


@pytest.mark.parametrize(
    ("share", "formatted"),
    [
        (0.0, "0%"),
        (0.001, "under 1%"),
        (0.005, "under 1%"),
        (0.5, "50%"),
        (0.994, "99%"),
        (0.995, "over 99%"),
        (0.9999, "over 99%"),
        (1.0, "100%"),
    ],
)
def test_only_whole_shares_are_formatted_as_whole(share: float, formatted: str) -> None:
    assert percent(share) == formatted


@pytest.mark.parametrize(
    ("effect", "formatted", "towards"),
    [
        (0.123, "+12", "up"),
        (-0.5, "−50", "down"),
        (0.004, "+0.4", "up"),
        (-0.0096, "−1", "down"),
        (0.0001, "0", "flat"),
    ],
)
def test_effects_are_formatted_in_percentage_points(effect: float, formatted: str, towards: str) -> None:
    assert (points(effect), direction(effect)) == (formatted, towards)


def test_the_accuracy_is_shown_if_the_release_states_it() -> None:
    measured = replace(RELEASE, facts=replace(RELEASE.facts, metrics={"test": {"reviews": 25_000, "accuracy": 0.9123}}))
    unmeasured = replace(RELEASE, facts=replace(RELEASE.facts, metrics={}))
    assert "It labels 91.2% of 25,000 test reviews correctly." in page(PageView("/", measured))
    assert "test reviews" not in page(PageView("/", unmeasured))
