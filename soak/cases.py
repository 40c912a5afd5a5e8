"""The requests of the soak test, each with its expected response, which is computed before the first request is sent.

Expected verdicts come from the packaged release and its model in this process, without HTTP. Expected problems of bad
input are written down by hand.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.handler import event
from chalicelib import documents, release, sentiment
from chalicelib.endpoint import ACCEPT, CONTENT_TYPE, parse_scores
from chalicelib.endpoint_errors import FAULTS, Fault
from chalicelib.errors import SentimentError
from chalicelib.predict_request import parse_body
from chalicelib.sentiment import MAX_REVIEWS, Scores
from simulator.endpoint.local_endpoint import packaged_container
from simulator.endpoint.runtime import VARIANT
from training.data.authored_sentences import load_sentences

SHORT, EXPLAINED, BATCH, BAD = "short text", "explained", "batch of 100", "bad input"
SHARES = {SHORT: 80, EXPLAINED: 15, BATCH: 4, BAD: 1}  # percent of the requests
SENTENCES_PER_REVIEW = 8  # of an explained review
SHORT_TEXTS, EXPLAINED_CASES, BATCH_CASES = 150, 30, 4
REQUEST_ID = "request-id"  # in expected responses
_TEXT, _JSON = "text/plain", "application/json"
_BAD_REQUESTS = (  # (body, content type, status, problem type)
    ("", _TEXT, 422, "empty-review"),
    (" \n ", _TEXT, 422, "empty-review"),
    ("{", _JSON, 400, "malformed-body"),
    ('{"text": "Good."}', _JSON, 400, "malformed-body"),
    ("[1, 2", _JSON, 400, "malformed-body"),
    (json.dumps({"reviews": ["Good."] * (MAX_REVIEWS + 1)}), _JSON, 413, "too-large"),
    ("good " * 100_001, _TEXT, 413, "too-large"),
    ("Good.", "image/png", 415, "unsupported-media-type"),
    ("Good.", "text/plain; charset=utf-16", 415, "unsupported-media-type"),
)


@dataclass(frozen=True)
class Case:
    """A request and its expected response.

    `body` is the parsed JSON of the response, or its text; of a problem, its type alone. Request ids in it are
    `REQUEST_ID`. `calls_endpoint`: a fault of the endpoint changes the response.
    """

    kind: str
    event: dict[str, Any]
    status: int
    body: Any
    calls_endpoint: bool = True

    def numbered(self, request_id: str) -> dict[str, Any]:
        """Return the event with a request id."""
        return {**self.event, "requestContext": {**self.event["requestContext"], "requestId": request_id}}


class DirectModel:
    """The packaged release and its model in this process."""

    def __init__(self) -> None:
        self.release = release.load()
        self._container = packaged_container()

    def scores(self, rows: Sequence[str], _remaining_seconds: Callable[[], float]) -> Scores:
        """Return the probability of positive for each row."""
        response = self._container.invoke("\n".join(rows).encode(), CONTENT_TYPE, ACCEPT)
        return Scores(parse_scores(response.body, len(rows)), VARIANT)


def build_cases() -> dict[str, list[Case]]:
    """Return the cases of each kind."""
    texts = [sentence.text for sentence in load_sentences()]
    model = DirectModel()
    short = texts[:: len(texts) // SHORT_TEXTS][:SHORT_TEXTS]  # of all kinds
    reviews = [_rotated(texts, number, SENTENCES_PER_REVIEW) for number in range(EXPLAINED_CASES)]
    batches = [_rotated(texts, 37 * number, MAX_REVIEWS) for number in range(BATCH_CASES)]
    documents_by_kind = {
        EXPLAINED: [{"review": " ".join(review), "explain": True} for review in reviews],
        BATCH: [{"reviews": batch, "explain": False} for batch in batches],
    }
    cases = {
        kind: [_judged(kind, json.dumps(document), _JSON, model) for document in each]
        for kind, each in documents_by_kind.items()
    }
    plain = [_judged(SHORT, text, _TEXT, model) for text in short]
    as_json = [_judged(SHORT, json.dumps({"review": text, "explain": False}), _JSON, model) for text in short]
    return {SHORT: plain + as_json, **cases, BAD: [_bad(*request) for request in _BAD_REQUESTS]}


def _rotated(texts: Sequence[str], start: int, count: int) -> list[str]:
    """Return `count` of the texts, beginning with one of them."""
    return [texts[(start + number) % len(texts)] for number in range(count)]


def _judged(kind: str, body: str, content_type: str, model: DirectModel) -> Case:
    """Return the case of a valid request, with the response that `app.predict` gives it."""
    packaged = model.release
    request = parse_body(content_type, body.encode())
    predicted = sentiment.predict(request.reviews, packaged, lambda: model, lambda: 28.0, explain=request.explain)
    case = Case(kind, _event(body, content_type), 200, None)
    try:
        if content_type == _TEXT:
            return replace(case, body=documents.as_digits(predicted))
        return replace(case, body=documents.as_json(request, predicted, packaged.release_id, REQUEST_ID))
    except SentimentError as error:
        return replace(case, status=error.status, body=_problem_text(error))


def _bad(body: str, content_type: str, status: int, problem: str) -> Case:
    """Return the case of a request that is refused without a call of the endpoint."""
    request = event(body) | {"headers": {"content-type": content_type, "accept": _JSON}}
    return Case(BAD, request, status, problem, calls_endpoint=False)


def _problem_text(error: SentimentError | Fault) -> str:
    """Return the response to a client that sent plain text, which is a digit otherwise."""
    return f"Error: {error.title}. {error.detail}\nRequest: {REQUEST_ID}\n"


def _event(body: str, content_type: str) -> dict[str, Any]:
    """Return the event of a request."""
    return event(body) | {"headers": {"content-type": content_type}}


def body_of(response: dict[str, Any], request_id: str) -> Any:
    """Return the comparable body of a response: of a problem its type, else its JSON or text, see `Case.body`.

    A problem whose request id is that of another request is returned whole, so that it equals no expected body.
    """
    text = str(response["body"]).replace(request_id, REQUEST_ID)
    media_type = {name.lower(): value for name, value in response["headers"].items()}.get("content-type", "")
    if "json" not in media_type:
        return _TYPE_OF_TEXT.get(text, text)
    document = json.loads(text)
    if "problem" not in media_type or document["request_id"] != REQUEST_ID:
        return document
    return document["type"].rpartition(":")[2]


_TYPE_OF_TEXT = {_problem_text(fault): fault.type for fault in FAULTS.values()}
