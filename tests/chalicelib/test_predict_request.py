import json
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import (
    BodyTooLargeError,
    EmptyReviewError,
    MalformedBodyError,
    SentimentError,
    UnsupportedMediaTypeError,
)
from chalicelib.negotiation import Representation
from chalicelib.predict_request import FORM_TYPE, MAX_BODY_BYTES, parse_body

JSON_TYPE = "application/json"


@pytest.mark.parametrize("content_type", ["text/plain", "text/plain;charset=UTF-8", FORM_TYPE])
def test_bare_text_is_a_single_review_without_decoding(content_type: str) -> None:
    body = "100% great + \N{GRINNING FACE} & more = fun"
    request = parse_body(content_type, body.encode())
    assert request.reviews == (body,)
    assert (request.several, request.explain) == (False, False)
    assert request.default_representation is Representation.TEXT


def test_a_form_has_a_single_review_and_is_explained() -> None:
    request = parse_body(FORM_TYPE, b"review=A+great%20film%21%0D%0AGo&other=1")
    assert request.reviews == ("A great film!\r\nGo",)
    assert (request.several, request.explain) == (False, True)
    assert request.default_representation is Representation.HTML
    assert request.text == "A great film!\r\nGo"


def test_lines_end_where_the_page_ends_them() -> None:
    """`str.splitlines` would also split at the separators in this review."""
    review = "a film\u2028of two lines\x0b, or\x85three"
    assert parse_body(FORM_TYPE, f"review={quote(review)}%0Aanother&several=on".encode()).reviews == (review, "another")


def test_a_form_for_several_reviews_has_one_per_line() -> None:
    request = parse_body(FORM_TYPE, b"review=one%0D%0A%0D%0Atwo%0A++&several=on")
    assert request.reviews == ("one", "two")
    assert (request.several, request.explain) == (True, False)


@pytest.mark.parametrize(
    ("fields", "reviews", "several", "explain"),
    [
        ({"review": "x"}, ("x",), False, True),
        ({"review": "x", "explain": False, "more": 1}, ("x",), False, False),
        ({"reviews": ["x", "y"]}, ("x", "y"), True, False),
        ({"reviews": ["x", 1, None], "explain": True}, ("x", 1, None), True, True),
        ({"review": 7}, (7,), False, True),
    ],
)
def test_json_has_a_single_review_or_several(
    fields: dict[str, object], reviews: tuple[object, ...], several: bool, explain: bool
) -> None:
    request = parse_body(JSON_TYPE, json.dumps(fields).encode())
    assert (request.reviews, request.several, request.explain) == (reviews, several, explain)
    assert request.default_representation is Representation.JSON


def test_a_byte_order_mark_is_not_part_of_a_review() -> None:
    assert parse_body("text/plain", b"\xef\xbb\xbfgood").reviews == ("good",)


@pytest.mark.parametrize(
    ("content_type", "body", "error"),
    [
        (JSON_TYPE, b"", MalformedBodyError),
        (JSON_TYPE, b"{", MalformedBodyError),
        (JSON_TYPE, b"[]", MalformedBodyError),
        (JSON_TYPE, b'"text"', MalformedBodyError),
        (JSON_TYPE, b"{}", MalformedBodyError),
        (JSON_TYPE, b'{"review": "x", "reviews": ["y"]}', MalformedBodyError),
        (JSON_TYPE, b'{"review": "x", "explain": 1}', MalformedBodyError),
        (JSON_TYPE, b'{"reviews": "x"}', MalformedBodyError),
        (JSON_TYPE, b'{"reviews": []}', EmptyReviewError),
        (JSON_TYPE, b'{"review": ' * 40_000, MalformedBodyError),
        (JSON_TYPE, b"[" * 400_000, MalformedBodyError),
        (JSON_TYPE, b'{"review": ' + b"9" * 5_000 + b"}", MalformedBodyError),
        (JSON_TYPE, b'{"review": "\xff"}', MalformedBodyError),
        (JSON_TYPE, None, MalformedBodyError),
        ("text/plain", b"caf\xe9", MalformedBodyError),
        ("text/plain", None, MalformedBodyError),
        (FORM_TYPE, b"review=%ff", MalformedBodyError),
        (FORM_TYPE, b"review=\xff", MalformedBodyError),
        (FORM_TYPE, b"review=x" + b"&a=1" * 30, MalformedBodyError),
        (FORM_TYPE, b"review=&several=on", EmptyReviewError),
        (FORM_TYPE, b"review=" + b"x" * MAX_BODY_BYTES, BodyTooLargeError),
        ("text/plain", b"x" * (MAX_BODY_BYTES + 1), BodyTooLargeError),
        ("text/plain; charset=latin-1", b"x", UnsupportedMediaTypeError),
        ("image/png", b"x", UnsupportedMediaTypeError),
        ("multipart/form-data; boundary=x", b"x", UnsupportedMediaTypeError),
        ("", b"x", UnsupportedMediaTypeError),
    ],
)
def test_an_invalid_body_gives_its_error(content_type: str, body: bytes | None, error: type[SentimentError]) -> None:
    request = parse_body(content_type, body)
    assert type(request.error) is error
    assert request.reviews == ()


@given(st.binary(max_size=200), st.sampled_from([JSON_TYPE, FORM_TYPE, "text/plain", "", "x/y"]), st.booleans())
def test_any_body_gives_either_reviews_or_an_error(body: bytes, content_type: str, is_form: bool) -> None:
    request = parse_body(content_type, b"review=" + body if is_form else body)
    assert bool(request.reviews) != bool(request.error)


@pytest.mark.parametrize("rest", ["", "&several=on", "&a=1" * 30, f"&other={'x' * MAX_BODY_BYTES}"])
@given(text=st.text(max_size=60).filter(lambda text: not any(0xD800 <= ord(each) <= 0xDFFF for each in text)))
def test_the_text_of_a_form_survives_any_error(rest: str, text: str) -> None:
    assert parse_body(FORM_TYPE, (urlencode({"review": text}) + rest).encode()).text == text


@pytest.mark.parametrize("charset", ["utf-8", "latin-1"])
@pytest.mark.parametrize(
    ("content_type", "body", "several"),
    [
        (FORM_TYPE, b"review=a&several=on", True),
        (FORM_TYPE, b"several=on&review=x", True),
        (FORM_TYPE, b"review=a", False),
        ("text/plain", b"a&several=on", False),
    ],
)
def test_the_checkbox_survives_any_error(content_type: str, body: bytes, several: bool, charset: str) -> None:
    assert parse_body(f"{content_type}; charset={charset}", body).several is several


@pytest.mark.parametrize(
    ("body", "review"),
    [(b"One%20of%20the%20best", "One of the best"), (b"good+bad", "good bad"), (b"100% sure, 2+2", "100% sure, 2+2")],
)
def test_url_encoded_text_from_curl_is_decoded(body: bytes, review: str) -> None:
    assert parse_body(FORM_TYPE, body).reviews == (review,)
