"""The body of `POST /predict` -> the reviews asked about: text, a form, or JSON, each read strictly.

What this module does not do: multipart forms, which nothing here needs, and any content encoding.
"""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from chalicelib.errors import BodyTooLargeError, EmptyReviewError, MalformedBodyError, UnsupportedMediaTypeError
from chalicelib.negotiation import Representation, media_type_of

LARGEST_BODY = 500_000  # bytes; escaped into a page twice it stays under the 6 MB of a Lambda answer
FORM_TYPE = "application/x-www-form-urlencoded"
_LINE_BREAK = re.compile(r"\r\n|\n|\r")  # as in static/reading.js; str.splitlines knows more, inside reviews too
_FORM_FIELDS = ("review=", "several=", "explain=")
_READ_HERE = "Send text/plain, application/x-www-form-urlencoded or application/json, in UTF-8."


@dataclass(frozen=True)
class PredictRequest:
    """What a caller asks: the reviews in order, whether to explain them, and which answer is in kind.

    `several` tells a request for a list of answers from one for a single answer. Items of a JSON list are passed on
    as they came, so that one that is not text spoils only its own answer.
    """

    reviews: tuple[object, ...]
    several: bool
    explained: bool
    in_kind: Representation
    form_text: str = ""  # what the page's box held, to be shown again


def kind_of(content_type: str, body: bytes) -> Representation:
    """Tell which answer is in kind for a body; never fails, so that errors can be answered in kind too."""
    media_type, _ = media_type_of(content_type)
    if media_type == FORM_TYPE:
        return Representation.HTML if _is_form(body) else Representation.TEXT
    return Representation.TEXT if media_type == "text/plain" else Representation.JSON


def read(content_type: str, body: bytes) -> PredictRequest:
    """Read a body; raises `SentimentError` saying what is wrong with it and what to send instead."""
    if len(body) > LARGEST_BODY:
        raise BodyTooLargeError(f"Send at most {LARGEST_BODY:,} bytes; this body has {len(body):,}.")
    media_type, parameters = media_type_of(content_type)
    if parameters.get("charset", "utf-8") not in {"utf-8", "utf8", "us-ascii"}:
        raise UnsupportedMediaTypeError(f"The charset {parameters['charset'][:40]!r} is not read here. {_READ_HERE}")
    if media_type == "application/json":
        return _from_json(_decoded(body))
    if media_type == "text/plain" or (media_type == FORM_TYPE and not _is_form(body)):
        text = _decoded(body)
        text = unquote_plus(text) if media_type == FORM_TYPE and _is_encoded(text) else text
        return PredictRequest((text,), several=False, explained=False, in_kind=Representation.TEXT)
    if media_type == FORM_TYPE:
        return _from_form(_decoded(body))
    named = f"The content type {media_type[:80]!r} is not read here." if media_type else "There is no content type."
    raise UnsupportedMediaTypeError(f"{named} {_READ_HERE}")


def _is_form(body: bytes) -> bool:
    """Tell a form from the bare text of `curl -d 'text'`, which comes with the same content type."""
    return body.startswith(tuple(field.encode() for field in _FORM_FIELDS))


def _is_encoded(text: str) -> bool:
    """Tell what `curl --data-urlencode 'text'` sends from what `curl -d 'text'` does: no space, but signs of some."""
    return " " not in text and ("%20" in text or "+" in text)


def _decoded(body: bytes) -> str:
    """Decode UTF-8, without a byte order mark."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedBodyError(f"The body is not UTF-8: byte {error.start} cannot be read. {_READ_HERE}") from error


def _from_form(body: str) -> PredictRequest:
    """Read the page's form: `review`, and `several=on` where every line is a review of its own."""
    try:
        fields = parse_qs(body, keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError as error:
        raise MalformedBodyError(
            "The form cannot be read: it must be URL-encoded UTF-8 with at most 20 fields."
        ) from error
    text = fields.get("review", [""])[-1]
    several = "several" in fields
    lines = tuple(line for line in _LINE_BREAK.split(text) if line.strip())
    if several and not lines:
        raise EmptyReviewError("There are no reviews. Write one on every line.")
    reviews = lines if several else (text,)
    return PredictRequest(reviews, several, explained=not several, in_kind=Representation.HTML, form_text=text)


def _from_json(body: str) -> PredictRequest:
    """Read `{"review": "..."}` or `{"reviews": ["...", ...]}`, with an optional boolean `explain`."""
    try:
        fields = json.loads(body)
    except RecursionError as error:
        raise MalformedBodyError("The JSON is nested too deeply.") from error
    except json.JSONDecodeError as error:
        raise MalformedBodyError(f"The body is not JSON: {error}.") from error
    except ValueError as error:  # a number of thousands of digits
        raise MalformedBodyError("The JSON holds a number that is too long.") from error
    if not isinstance(fields, dict) or ("review" in fields) == ("reviews" in fields):
        raise MalformedBodyError('Send a JSON object with either "review" (a string) or "reviews" (a list of strings).')
    explained = fields.get("explain", "review" in fields)
    if not isinstance(explained, bool):
        raise MalformedBodyError('"explain" must be true or false.')
    if "review" in fields:
        return PredictRequest((fields["review"],), several=False, explained=explained, in_kind=Representation.JSON)
    return PredictRequest(_list_of(fields["reviews"]), several=True, explained=explained, in_kind=Representation.JSON)


def _list_of(reviews: Any) -> tuple[object, ...]:
    """Check the list of reviews; its items are checked one by one later."""
    if not isinstance(reviews, list):
        raise MalformedBodyError('"reviews" must be a list of strings.')
    if not reviews:
        raise EmptyReviewError('"reviews" is an empty list. Send at least one review.')
    return tuple(reviews)


def asks_several(content_type: str, body: bytes) -> bool:
    """Tell whether the page's checkbox for several reviews was set, as well as it can be read; never fails."""
    return kind_of(content_type, body) is Representation.HTML and b"&several=" in b"&" + body


def text_of(content_type: str, body: bytes) -> str:
    """Return what the page's box held, as well as it can be read, so that no error loses it; never fails."""
    text = body[:LARGEST_BODY].decode("utf-8", errors="replace")
    if kind_of(content_type, body) is not Representation.HTML:
        return text
    encoded = next((field for field in text.split("&") if field.startswith("review=")), "review=")
    return unquote_plus(encoded.removeprefix("review="))
