from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from chalicelib import release
from chalicelib.documents import as_json
from chalicelib.negotiation import Representation
from chalicelib.pages import PageView, direction, percent, points, render
from chalicelib.predict_request import PredictRequest
from chalicelib.sentiment import LONGEST_REVIEW, Scores, judge

RELEASE = release.load()


class Hundredths:
    """Scores a row by its length, so that leaving something out changes the score."""

    def scores(self, rows: Any, remaining_seconds: Callable[[], float]) -> Scores:
        return Scores([0.5 + (row.count(":") % 50) / 100 for row in rows], "blue")


def asked(*reviews: object, several: bool = False, form_text: str = "") -> PageView:
    """Make the view of a form's answer, as the app does."""
    inquiry = PredictRequest(reviews, several, not several, Representation.HTML, form_text)
    judgement = judge(reviews, RELEASE, lambda: Hundredths(), lambda: 10.0, explained=inquiry.explained)
    document = as_json(inquiry, judgement, RELEASE.release_id, "request-1")
    return PageView("/", RELEASE, inquiry, tuple(document.get("results", [document])))


def with_verdict(**changes: Any) -> PageView:
    """Make the view of a review whose verdict is changed to say what a test needs."""
    view = asked("A good film.", form_text="A good film.")
    return PageView("/", RELEASE, view.inquiry, ({**view.results[0], **changes},))


class Elements(HTMLParser):
    """Every start tag of a page with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def page(view: PageView) -> str:
    return render(view, lambda name: f"hash-of-{name}")


class Text(HTMLParser):
    """All text of a page."""

    said = ""

    def handle_data(self, data: str) -> None:
        self.said += data


def text_of(html: str) -> str:
    """Return a page's text, white space folded."""
    reader = Text()
    reader.feed(html)
    return " ".join(reader.said.split())


def test_the_empty_page_asks_and_answers_nothing() -> None:
    html = page(PageView("/", RELEASE))
    assert '<form id="ask" class="panel" method="post" action="predict#answer"' in html
    assert "<article" not in html.split("<template")[0]
    assert RELEASE.release_id in html


def test_the_template_leaves_nothing_before_the_doctype() -> None:
    assert page(PageView("/", RELEASE)).startswith("<!doctype html>")


def test_the_base_is_where_the_app_is_mounted() -> None:
    assert '<base href="/prod/">' in page(PageView("/prod/", RELEASE))


def test_links_to_assets_carry_their_hashes() -> None:
    html = page(PageView("/", RELEASE))
    assert 'href="static/style.css?v=hash-of-style.css"' in html
    assert 'src="static/app.js?v=hash-of-app.js"' in html


def test_nothing_on_the_page_needs_more_than_the_content_security_policy_gives() -> None:
    for tag, attributes in Elements(page(asked("A good film. Bad end."))).tags:
        assert tag != "style"
        assert tag != "script" or attributes["src"]
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        assert not any((value or "").startswith(("data:", "javascript:", "http:")) for value in attributes.values())


def test_a_verdict_is_told_in_words_with_its_probability_and_origin() -> None:
    html = page(with_verdict(label="positive", score=0.974, variant="blue", request_id="request-9"))
    text = text_of(html)
    assert "Positive" in text
    assert "chance that this review is positive at 97%" in text
    assert "variant blue" in text
    assert "request request-9" in text


def test_a_negative_verdict_tells_the_chance_of_negative() -> None:
    assert "review is negative at 92%" in text_of(page(with_verdict(label="negative", score=0.08)))


def test_not_sure_says_between_which_chances() -> None:
    low, high = (percent(bound) for bound in RELEASE.facts.not_sure_band)
    text = text_of(page(with_verdict(label="not sure", score=0.5)))
    assert f"“Not sure” means that the chance lies between {low} and {high}" in text


def test_a_review_without_known_words_gets_no_chance_at_all() -> None:
    view = asked("Xyzzyq.", form_text="Xyzzyq.")
    html = page(view)
    assert view.results[0]["known_words"] == 0
    assert 'class="scale"' not in html
    assert "knows none of its words" in text_of(html)


def test_warnings_are_listed() -> None:
    html = page(with_verdict(warnings=[{"code": "cut", "message": "Only a part was read."}]))
    assert "<li>Only a part was read.</li>" in html


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", "</textarea><img src=x onerror=a()>", '"><b>', "{{ 7 }}"]
)
def test_a_review_is_shown_as_text_whatever_it_holds(hostile: str) -> None:
    tags = Elements(page(asked(hostile + " good film", form_text=hostile + " good film"))).tags
    harmless = Elements(page(asked("b good film", form_text="b good film"))).tags
    assert {tag for tag, _ in tags} <= {tag for tag, _ in harmless}
    assert len([tag for tag, _ in tags if tag == "script"]) == len([tag for tag, _ in harmless if tag == "script"])


def test_the_box_keeps_the_text_even_a_first_line_break() -> None:
    html = page(asked("\n good & bad", form_text="\n good & bad"))
    assert ">\n\n good &amp; bad</textarea>" in html  # HTML drops the first line break after the tag


def test_the_box_keeps_the_text_of_a_request_that_failed() -> None:
    problem = {"title": "Busy", "detail": "Try again.", "status": 503, "retry_after_seconds": 2, "request_id": "r-1"}
    html = page(PageView("/", RELEASE, problem=problem, text="my <review>"))
    assert ">\nmy &lt;review&gt;</textarea>" in html
    assert "It may work again in 2 seconds" in html
    assert "Try again</button>" in html.split("<template")[0]
    assert "request <code>r-1" in html


def test_an_empty_box_is_not_said_to_keep_a_text() -> None:
    problem = {"title": "Empty", "detail": "Write.", "status": 422, "request_id": "r-1"}
    said = "Your text is still in the box"
    assert said not in page(PageView("/", RELEASE, problem=problem, text=" \n")).split("<template")[0]
    assert said in page(PageView("/", RELEASE, problem=problem, text="x")).split("<template")[0]


def test_a_mistake_of_the_caller_offers_no_second_try() -> None:
    problem = {"title": "Empty", "detail": "Write.", "status": 422, "request_id": "r-1"}
    assert "Try again</button>" not in page(PageView("/", RELEASE, problem=problem)).split("<template")[0]


def test_several_reviews_come_as_a_table_with_errors_in_their_place() -> None:
    html = page(asked("A good film.", 7, "Xyzzyq.", several=True, form_text="..."))
    body = html.split("<template")[0]
    assert body.count("<tr class=") == 3
    assert "A review must be a JSON string." in body
    assert 'value="on" checked' in body


def test_half_a_surrogate_pair_does_not_keep_the_page_from_being_sent() -> None:
    assert page(asked("good \ud83c film", form_text="good \ud83c film")).encode("utf-8")


def test_what_was_not_read_of_a_long_review_is_said_and_not_repeated() -> None:
    html = page(asked("good " * (LONGEST_REVIEW // 5) + "never read " * 100))
    assert "1,100 more characters were not read" in html
    assert "never read" not in html.split('class="reading"')[1]


def test_marks_tell_direction_by_more_than_colour() -> None:
    html = page(
        with_verdict(
            sentences=[{"text": "A good film.", "start": 0, "end": 12, "score": 0.9, "effect": 0.3}],
            words=[{"text": "good", "effect": -0.02, "places": [{"start": 2, "end": 6}]}],
        )
    )
    assert '<span class="sentence up up-4">A <mark class="down down-2">good</mark> film.' in html
    assert "▲" in html.split('class="reading"')[1].split("</div>")[0]


@pytest.mark.parametrize(
    ("share", "written"),
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
def test_only_whole_shares_read_as_whole(share: float, written: str) -> None:
    assert percent(share) == written


@pytest.mark.parametrize(
    ("effect", "written", "towards"),
    [
        (0.123, "+12", "up"),
        (-0.5, "−50", "down"),
        (0.004, "+0.4", "up"),
        (-0.0096, "−1", "down"),
        (0.0001, "0", "flat"),
    ],
)
def test_effects_are_written_in_points(effect: float, written: str, towards: str) -> None:
    assert (points(effect), direction(effect)) == (written, towards)


def test_accuracy_is_told_where_the_release_states_it() -> None:
    measured = replace(RELEASE, facts=replace(RELEASE.facts, metrics={"test": {"reviews": 25_000, "accuracy": 0.9123}}))
    bare = replace(RELEASE, facts=replace(RELEASE.facts, metrics={}))
    assert "On 25,000 test reviews" in page(PageView("/", measured))
    assert "right 91.2% of the time" in page(PageView("/", measured))
    assert "of the time" not in page(PageView("/", bare))


def test_a_score_that_is_not_believed_is_not_called_close() -> None:
    text = text_of(page(with_verdict(label="not sure", score=0.974)))
    assert "positive at 97%, but it understands too little of it to take a side" in text
    assert "too close to call" not in text
