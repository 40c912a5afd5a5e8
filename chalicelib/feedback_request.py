"""The body of `POST /feedback`: a form or a JSON object with a review, its receipt and a correction."""

from typing import Any, NamedTuple

from chalicelib.errors import MalformedBodyError, UnsupportedMediaTypeError
from chalicelib.feedback import check_correction
from chalicelib.forms import FORM_TYPE, MULTIPART_TYPE, parse_multipart, parse_urlencoded
from chalicelib.negotiation import parse_content_type
from chalicelib.predict_request import JSON_TYPE, is_json, load_json, read_content


class FeedbackRequest(NamedTuple):
    """The fields of a request; all are required."""

    review: str
    receipt: str
    correction: str


def parse(content_type: str, body: bytes | None, content_encoding: str = "") -> FeedbackRequest:
    """Parse a body (None: its base64 is invalid); raises `SentimentError` naming what is wrong."""
    content = read_content(content_type, body, content_encoding)
    fields = _fields(content_type, parse_content_type(content_type)[0], content)
    values = {name: fields.get(name) for name in FeedbackRequest._fields}
    for name, value in values.items():
        if not isinstance(value, str):
            raise MalformedBodyError(f'"{name}" is missing or not a string. Send "review", "receipt" and "correction".')
    check_correction(str(values["correction"]))
    return FeedbackRequest(**{name: str(value) for name, value in values.items()})


def _fields(content_type: str, media_type: str, content: bytes) -> dict[str, Any]:
    """Return the fields of a form or a JSON object."""
    if is_json(media_type):
        document = load_json(_decode(content))
        if not isinstance(document, dict):
            raise MalformedBodyError('Send a JSON object with "review", "receipt" and "correction".')
        return document
    if media_type == FORM_TYPE:
        return {name: _decode(value) for name, value in parse_urlencoded(content)}
    if media_type == MULTIPART_TYPE:
        return {name: _decode(value) for name, value in parse_multipart(content_type, content)}
    raise UnsupportedMediaTypeError(f"Send feedback as {FORM_TYPE}, {MULTIPART_TYPE} or {JSON_TYPE}, in UTF-8.")


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedBodyError(f"The body is not UTF-8: byte {error.start} is invalid.") from error
