"""The body of `POST /predict`: parsing plain text, a form or JSON into reviews.

Multipart forms and content encodings are not supported.
"""

import codecs
import json
import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote_plus, unquote_to_bytes

from chalicelib.errors import (
    BodyTooLargeError,
    EmptyReviewError,
    MalformedBodyError,
    SentimentError,
    UnsupportedMediaTypeError,
)
from chalicelib.negotiation import Representation, parse_content_type

MAX_BODY_BYTES = 500_000  # escaped into a page twice, it stays under the 6 MB of a Lambda response
MAX_FORM_FIELDS = 20
FORM_TYPE = "application/x-www-form-urlencoded"
_LINE_BREAK = re.compile(r"\r\n|\n|\r")  # as in static/reading.js; str.splitlines also splits at other characters
_FORM_FIELDS = (b"review=", b"several=", b"explain=")
_SUPPORTED = "Send text/plain, application/x-www-form-urlencoded or application/json, in UTF-8."


@dataclass(frozen=True)
class PredictRequest:
    """The reviews of a request, in order, and how to respond.

    `default_representation` is used where the Accept header leaves the choice open. `text` is the content of the page's
    text box. Items of a JSON list may be other things than strings; each of those gets its own error in the response.
    `several`: the response is a list. `explain`: it has the effects of sentences and words. `error` is the reason why
    the body cannot be used; there are no reviews then, but the other fields hold as much as could be read.
    """

    default_representation: Representation
    text: str = ""
    reviews: tuple[object, ...] = ()
    several: bool = False
    explain: bool = False
    error: SentimentError | None = None


def parse_body(content_type: str, body: bytes | None) -> PredictRequest:
    """Parse a body (None: its base64 is invalid); an unusable body is reported in `error`, and nothing is raised."""
    media_type, parameters = parse_content_type(content_type)
    error = _check_support(media_type, parameters.get("charset", "utf-8"), body)
    content = body or b""
    if media_type == FORM_TYPE and content.startswith(_FORM_FIELDS):
        request = _parse_form(content)
    elif media_type in {FORM_TYPE, "text/plain"}:  # `curl -d 'text'` sends bare text with the content type of a form
        request = _parse_text(content, from_curl=media_type == FORM_TYPE)
    elif error:
        request = PredictRequest(Representation.JSON)
    else:
        request = _parse_json(content)
    return replace(request, reviews=(), error=error) if error else request


def _check_support(media_type: str, charset: str, body: bytes | None) -> SentimentError | None:
    """Return the reason not to parse a body at all."""
    if body is None:
        return MalformedBodyError("The body's encoding is invalid. Send it as it is, without base64.")
    if len(body) > MAX_BODY_BYTES:
        return BodyTooLargeError(f"Send at most {MAX_BODY_BYTES:,} bytes; this body has {len(body):,}.")
    if charset not in {"utf-8", "utf8", "us-ascii"}:
        return UnsupportedMediaTypeError(f"The charset {charset[:40]!r} is not supported. {_SUPPORTED}")
    if not media_type:
        return UnsupportedMediaTypeError(f"There is no content type. {_SUPPORTED}")
    if media_type not in {"text/plain", FORM_TYPE, "application/json"}:
        return UnsupportedMediaTypeError(f"The content type {media_type[:80]!r} is not supported. {_SUPPORTED}")
    return None


def _decode(content: bytes) -> tuple[str, MalformedBodyError | None]:
    """Decode UTF-8; where that fails, return replacement characters and the error."""
    try:
        return content.decode("utf-8"), None
    except UnicodeDecodeError as error:
        detail = f"The body is not UTF-8: byte {error.start} is invalid. {_SUPPORTED}"
        return content.decode("utf-8", errors="replace"), MalformedBodyError(detail)


def _parse_text(body: bytes, *, from_curl: bool) -> PredictRequest:
    """Parse bare text; `curl --data-urlencode` sends it URL-encoded."""
    text, error = _decode(body[:MAX_BODY_BYTES].removeprefix(codecs.BOM_UTF8))
    if from_curl and " " not in text and ("%20" in text or "+" in text):
        text = unquote_plus(text)
    return PredictRequest(Representation.TEXT, text, () if error else (text,), error=error)


def _parse_form(body: bytes) -> PredictRequest:
    """Parse the page's form: `review`, and `several=on` if each of its lines is a review."""
    pairs = [pair.partition(b"=") for pair in body.split(b"&", MAX_FORM_FIELDS)]
    fields = {name: value for name, _, value in pairs}
    text, error = _decode(unquote_to_bytes(fields.get(b"review", b"")[:MAX_BODY_BYTES].replace(b"+", b" ")))
    several = b"several" in fields
    reviews = tuple(line for line in _LINE_BREAK.split(text) if line.strip()) if several else (text,)
    problem: SentimentError | None = error
    if len(pairs) > MAX_FORM_FIELDS:
        problem = MalformedBodyError(f"Send a form with at most {MAX_FORM_FIELDS} fields.")
    elif not reviews:
        problem = EmptyReviewError("There are no reviews. Write one review per line.")
    return PredictRequest(
        Representation.HTML, text, () if problem else reviews, several, explain=not several, error=problem
    )


def _parse_json(body: bytes) -> PredictRequest:
    """Parse `{"review": "..."}` or `{"reviews": ["...", ...]}`, with an optional boolean `explain`."""
    text, error = _decode(body.removeprefix(codecs.BOM_UTF8))
    try:
        if error:
            raise error
        fields = _load_object(text)
        several = "reviews" in fields
        reviews = _list_of(fields["reviews"]) if several else (fields["review"],)
        explain = fields.get("explain", not several)
        if not isinstance(explain, bool):
            raise MalformedBodyError('"explain" must be true or false.')
    except SentimentError as problem:
        return PredictRequest(Representation.JSON, text, error=problem)
    return PredictRequest(Representation.JSON, reviews=reviews, several=several, explain=explain)


def _load_object(text: str) -> dict[str, Any]:
    """Load a JSON object with either `review` or `reviews`; raises `MalformedBodyError`."""
    try:
        fields = json.loads(text)
    except RecursionError as error:
        raise MalformedBodyError("The JSON is nested too deeply.") from error
    except json.JSONDecodeError as error:
        raise MalformedBodyError(f"The body is not valid JSON: {error}.") from error
    except ValueError as error:  # a number of thousands of digits
        raise MalformedBodyError("The JSON has a number with too many digits.") from error
    if not isinstance(fields, dict) or ("review" in fields) == ("reviews" in fields):
        raise MalformedBodyError('Send a JSON object with either "review" (a string) or "reviews" (a list of strings).')
    return fields


def _list_of(reviews: Any) -> tuple[object, ...]:
    """Validate the list of reviews; its items are validated later, each on its own."""
    if not isinstance(reviews, list):
        raise MalformedBodyError('"reviews" must be a list of strings.')
    if not reviews:
        raise EmptyReviewError('"reviews" is an empty list. Send at least one review.')
    return tuple(reviews)
