"""The limits of one request: processor time for the worst bodies found, and the size of the response."""

import json
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlencode

import pytest

from chalicelib import http, release, sentiment
from chalicelib.errors import BodyTooLargeError
from chalicelib.http import MAX_RESPONSE_BYTES, Request, Response
from chalicelib.negotiation import Representation
from chalicelib.predict_request import MAX_BODY_BYTES
from chalicelib.sentiment import Scores

MOST_SECONDS = 2.0  # of processor time
PACKAGED = release.load()
JSON, HTML = "application/json", "text/html"
FORM = "application/x-www-form-urlencoded"


class InstantScorer:
    """Returns a score that depends on the length of the row, at once."""

    def scores(self, rows: Sequence[str], _remaining_seconds: Callable[[], float]) -> Scores:
        return Scores([len(row) % 10 / 10 for row in rows], "AllTraffic")


def respond(body: bytes, content_type: str, accept: str) -> Response:
    """Answer `POST /predict` as the app does, up to the conversion to Chalice's types."""
    request = Request("POST", "/predict", "/", {"content-type": content_type, "accept": accept}, {}, body, "request-1")
    parsed = request.predict_request
    assert not parsed.error
    started = time.monotonic()
    predicted = sentiment.predict(
        parsed.reviews,
        PACKAGED,
        lambda: InstantScorer(),
        lambda: 28.0 - (time.monotonic() - started),
        explain=parsed.explain,
    )
    representation = Representation.JSON if accept == JSON else Representation.HTML
    return http.predict_response(request, predicted, PACKAGED, representation)


def json_body(unit: str, count: int) -> bytes:
    """Return a body of the largest allowed size: `count` reviews that repeat a text, to be explained."""
    reviews = [(unit * 20_000)[:20_000]] * count
    while True:
        body = json.dumps({"reviews": reviews, "explain": True}, ensure_ascii=False).encode()
        if len(body) <= MAX_BODY_BYTES:
            return body
        reviews = [review[: int(len(review) * 0.9)] for review in reviews]


WORST = {  # name -> (unit that is repeated, number of reviews), by decreasing processor time
    "letters that fold into eighteen": ("\ufdfa", 24),
    "question marks": ("?", 24),
    "marks and letters": ("?a", 24),
    "exclamation marks": ("!", 24),
    "exclamation marks in a hundred reviews": ("!", 100),
    "entities": ("&#33; ", 100),
    "unclosed tags": ("<a", 24),
    "short sentences": ("ab. ", 24),
    "negations": ("not good bad ", 24),
    "ordinary sentences": ("This film is wonderful and awful, not bad. ", 24),
}


@pytest.mark.parametrize("name", WORST)
def test_the_worst_bodies_take_two_seconds_at_most(name: str) -> None:
    body = json_body(*WORST[name])
    started = time.process_time()
    response = respond(body, JSON, JSON)
    assert time.process_time() - started < MOST_SECONDS
    assert response.status == 200
    assert len(json.dumps(response.body)) < MAX_RESPONSE_BYTES


def test_later_reviews_of_a_large_request_are_not_explained() -> None:
    results = json.loads(respond(json_body(*WORST["ordinary sentences"]), JSON, JSON).body)["results"]
    warned = ["not-explained" in {warning["code"] for warning in result["warnings"]} for result in results]
    assert warned == [not result["sentences"] for result in results]
    assert warned == sorted(warned)
    assert set(warned) == {True, False}


def test_the_places_of_a_word_are_limited() -> None:
    (result,) = json.loads(respond(json_body("bad ", 1), JSON, JSON).body)["results"]
    assert len(result["words"]) == 1
    assert len(result["words"][0]["places"]) == 20


@pytest.mark.parametrize("character", ["'", "&", '"'])
def test_a_page_of_escaped_characters_fits_in_lambdas_response(character: str) -> None:
    lines = "\n".join([character * 4_600 + " a"] * 100)
    body = urlencode({"review": lines, "several": "on"}, safe="'\"").encode()[:MAX_BODY_BYTES]
    assert len(json.dumps(respond(body, FORM, HTML).body)) < MAX_RESPONSE_BYTES


def test_a_response_that_is_too_large_loses_its_explanations(monkeypatch: pytest.MonkeyPatch) -> None:
    body = json.dumps({"review": "A wonderful film. " * 100}).encode()
    monkeypatch.setattr(http, "MAX_RESPONSE_BYTES", 5_000)
    result = json.loads(respond(body, JSON, JSON).body)
    assert result["sentences"] == result["words"] == []
    assert [warning["code"] for warning in result["warnings"]] == ["not-explained"]


def test_a_response_that_is_too_large_without_explanations_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_RESPONSE_BYTES", 100)
    with pytest.raises(BodyTooLargeError, match="fewer reviews"):
        respond(b'{"review": "A wonderful film."}', JSON, JSON)
