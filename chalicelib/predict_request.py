"""The body of `POST /predict`: parsing plain text, a form or JSON into reviews.

The Content-Type decides, with three exceptions for what programs send by mistake. `curl -d 'text'` sends bare text with
the content type of a form: it is text unless it is a query string. What begins as JSON and has a key `review` or
`reviews` is JSON, whatever its content type. Without a content type, all else is text.
"""

import codecs
import json
import re
import zlib
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from chalicelib.errors import (
    BodyTooLargeError,
    EmptyReviewError,
    MalformedBodyError,
    SentimentError,
    UnsupportedMediaTypeError,
)
from chalicelib.forms import (
    FORM_TYPE,
    MAX_FIELDS,
    MULTIPART_TYPE,
    Fields,
    looks_like_fields,
    parse_multipart,
    parse_urlencoded,
)
from chalicelib.negotiation import Representation, parse_content_type

MAX_BODY_BYTES = 500_000  # escaped into a page twice, it stays under the 6 MB of a Lambda response
JSON_TYPE = "application/json"
_LINE_BREAK = re.compile(r"\r\n|\n|\r")  # as in static/reading.js; str.splitlines also splits at other characters
_FLAGS = {"on": True, "true": True, "1": True, "yes": True, "off": False, "false": False, "0": False, "no": False}
_FLAGS[""] = False
_REVIEW_KEY = re.compile(rb'"reviews?"\s*:')
_GZIP_MAGIC = b"\x1f\x8b"
_ZLIB_GZIP = 31  # zlib's window size for the gzip format
_SUPPORTED = f"Send text/plain, {FORM_TYPE}, {MULTIPART_TYPE} or {JSON_TYPE}, in UTF-8."


class PredictRequest(NamedTuple):
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


def parse_body(content_type: str, body: bytes | None, content_encoding: str = "") -> PredictRequest:
    """Parse a body (None: its base64 is invalid); an unusable body is reported in `error`, and nothing is raised."""
    media_type, parameters = parse_content_type(content_type)
    try:
        content, error = _decode_content(content_encoding, body), None
    except SentimentError as problem:
        content, error = b"", problem
    error = error or _check_support(media_type, parameters.get("charset", "utf-8"), content)
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        request = _parse(content_type, media_type, content)
    except SentimentError as problem:
        request = PredictRequest(Representation.JSON, error=problem)
    return request._replace(reviews=(), error=error) if error else request


def read_content(content_type: str, body: bytes | None, content_encoding: str = "") -> bytes:
    """Return a decoded body, without a byte order mark; raises `SentimentError` if it cannot be used."""
    media_type, parameters = parse_content_type(content_type)
    content = _decode_content(content_encoding, body)
    error = _check_support(media_type, parameters.get("charset", "utf-8"), content)
    if error:
        raise error
    return content.removeprefix(codecs.BOM_UTF8)


def _parse(content_type: str, media_type: str, content: bytes) -> PredictRequest:
    """Parse a decoded body by its content type; raises `SentimentError`."""
    if is_json(media_type) or _is_json_content(content):
        return _parse_json(content)
    if media_type == MULTIPART_TYPE:
        return _parse_form(parse_multipart(content_type, content[:MAX_BODY_BYTES]))
    if media_type != FORM_TYPE:
        return _parse_text(content)
    fields = parse_urlencoded(content)
    if looks_like_fields(content) or "review" in dict(fields):
        return _parse_form(fields)
    return _parse_text(content, from_curl=True)


def _decode_content(content_encoding: str, body: bytes | None) -> bytes:
    """Decode a Content-Encoding, up to one byte more than the limit of a body; raises `SentimentError`.

    API Gateway decodes gzip itself, and passes the header on: such a body does not begin as gzip does.
    """
    if body is None:
        raise MalformedBodyError("The body's encoding is invalid. Send it as it is, without base64.")
    coding = content_encoding.strip().lower()
    if coding in {"", "identity"} or (coding in {"gzip", "x-gzip"} and not body.startswith(_GZIP_MAGIC)):
        return body
    if coding not in {"gzip", "x-gzip"}:
        raise UnsupportedMediaTypeError(f"The content encoding {coding[:40]!r} is not supported. Send gzip or none.")
    try:
        decoder = zlib.decompressobj(_ZLIB_GZIP)
        content = decoder.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error as error:
        raise MalformedBodyError(f"The body is not valid gzip: {error}.") from error
    if len(content) > MAX_BODY_BYTES:
        raise BodyTooLargeError(f"Send at most {MAX_BODY_BYTES:,} bytes; this body has more when it is decompressed.")
    if not decoder.eof:
        raise MalformedBodyError("The body is not valid gzip: it ends too early.")
    if decoder.unused_data:
        raise MalformedBodyError("The body has something after its gzip data. Send a single gzip member.")
    return content


def _check_support(media_type: str, charset: str, body: bytes) -> SentimentError | None:
    """Return the reason not to use a body, whatever is in it."""
    if len(body) > MAX_BODY_BYTES:
        return BodyTooLargeError(f"Send at most {MAX_BODY_BYTES:,} bytes; this body has {len(body):,}.")
    if charset not in {"utf-8", "utf8", "us-ascii"}:
        return UnsupportedMediaTypeError(f"The charset {charset[:40]!r} is not supported. {_SUPPORTED}")
    if media_type not in {"", "text/plain", FORM_TYPE, MULTIPART_TYPE} and not is_json(media_type):
        return UnsupportedMediaTypeError(f"The content type {media_type[:80]!r} is not supported. {_SUPPORTED}")
    return None


def is_json(media_type: str) -> bool:
    """Return whether a media type is JSON."""
    return media_type == JSON_TYPE or (media_type.startswith("application/") and media_type.endswith("+json"))


def _is_json_content(content: bytes) -> bool:
    """Return whether a body of another content type is meant as JSON: it begins as JSON, and has a key for reviews."""
    return content.lstrip()[:1] in {b"{", b"["} and _REVIEW_KEY.search(content) is not None


def _decode(content: bytes) -> tuple[str, MalformedBodyError | None]:
    """Decode UTF-8; where that fails, return replacement characters and the error."""
    try:
        return content.decode("utf-8"), None
    except UnicodeDecodeError as error:
        detail = f"The body is not UTF-8: byte {error.start} is invalid. {_SUPPORTED}"
        return content.decode("utf-8", errors="replace"), MalformedBodyError(detail)


def _parse_text(body: bytes, *, from_curl: bool = False) -> PredictRequest:
    """Parse bare text; `curl --data-urlencode` sends it URL-encoded."""
    text, error = _decode(body[:MAX_BODY_BYTES])
    if from_curl and " " not in text and ("%20" in text or "+" in text):
        text = unquote_plus(text)
    return PredictRequest(Representation.TEXT, text, () if error else (text,), error=error)


def _parse_form(fields: Fields) -> PredictRequest:
    """Parse a form: `review`, `several` if each of its lines is a review, and `explain`."""
    values = dict(fields)
    text, error = _decode(values.get("review", b"")[:MAX_BODY_BYTES])
    several, several_error = _flag("several", values, default=False)
    explain, explain_error = _flag("explain", values, default=not several)
    reviews = tuple(line for line in _LINE_BREAK.split(text) if line.strip()) if several else (text,)
    problem = _check_fields(fields) or error or several_error or explain_error
    if not problem and not reviews:
        problem = EmptyReviewError("There are no reviews. Write one review per line.")
    return PredictRequest(Representation.JSON, text, () if problem else reviews, several, explain, error=problem)


def _check_fields(fields: Fields) -> SentimentError | None:
    """Return the reason why a form cannot be read in exactly one way."""
    names = [name for name, _ in fields]
    if len(names) > MAX_FIELDS:
        return MalformedBodyError(f"Send a form with at most {MAX_FIELDS} fields.")
    if "review" not in names:
        named = f"only {', '.join(names)[:200]}" if names else "no fields at all"
        return MalformedBodyError(
            f"The form has no field named review, {named}. To send bare text, set Content-Type: text/plain."
        )
    if names.count("review") > 1:
        return MalformedBodyError(
            'The form has two fields named review. Send several reviews as JSON: {"reviews": [...]}.'
        )
    return None


def _flag(name: str, values: dict[str, bytes], *, default: bool) -> tuple[bool, MalformedBodyError | None]:
    """Return the value of a form's flag, and the error if it is neither on nor off."""
    if name not in values:
        return default, None
    value = values[name].decode("utf-8", "replace").strip().lower()
    if value not in _FLAGS:
        return default, MalformedBodyError(f'"{name}" is {value[:40]!r}. Send "true" or "false".')
    return _FLAGS[value], None


def _parse_json(body: bytes) -> PredictRequest:
    """Parse `{"review": "..."}` or `{"reviews": ["...", ...]}`, with an optional boolean `explain`."""
    text, error = _decode(body)
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
    fields = load_json(text)
    if not isinstance(fields, dict) or ("review" in fields) == ("reviews" in fields):
        raise MalformedBodyError('Send a JSON object with either "review" (a string) or "reviews" (a list of strings).')
    return fields


def load_json(text: str) -> Any:
    """Load a JSON document; raises `MalformedBodyError`."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise MalformedBodyError("The JSON is nested too deeply.") from error
    except json.JSONDecodeError as error:
        raise MalformedBodyError(f"The body is not valid JSON: {error}.") from error
    except ValueError as error:  # a number of thousands of digits
        raise MalformedBodyError("The JSON has a number with too many digits.") from error


def _list_of(reviews: Any) -> tuple[object, ...]:
    """Validate the list of reviews; its items are validated later, each on its own."""
    if not isinstance(reviews, list):
        raise MalformedBodyError('"reviews" must be a list of strings.')
    if not reviews:
        raise EmptyReviewError('"reviews" is an empty list. Send at least one review.')
    return tuple(reviews)
