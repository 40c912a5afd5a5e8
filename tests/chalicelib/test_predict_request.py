import json
from contextlib import suppress
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
from chalicelib.predict_request import FORM_TYPE, LARGEST_BODY, asks_several, kind_of, read, text_of

JSON_TYPE = "application/json"


@pytest.mark.parametrize("content_type", ["text/plain", "text/plain;charset=UTF-8", FORM_TYPE])
def test_bare_text_is_one_review_taken_to_the_letter(content_type: str) -> None:
    body = "100% great + \N{GRINNING FACE} & more = fun"
    asked = read(content_type, body.encode())
    assert asked.reviews == (body,)
    assert (asked.several, asked.explained, asked.in_kind) == (False, False, Representation.TEXT)


def test_a_form_gives_one_review_and_is_explained() -> None:
    asked = read(FORM_TYPE, b"review=A+great%20film%21%0D%0AGo&other=1")
    assert asked.reviews == ("A great film!\r\nGo",)
    assert (asked.several, asked.explained, asked.in_kind) == (False, True, Representation.HTML)
    assert asked.form_text == "A great film!\r\nGo"


def test_a_line_ends_where_the_page_ends_it_not_at_other_separators() -> None:
    separated = "a film\u2028of two lines\x0b, or\x85three"
    assert read(FORM_TYPE, f"review={quote(separated)}%0Aanother&several=on".encode()).reviews == (separated, "another")


def test_a_form_for_several_gives_a_review_a_line() -> None:
    asked = read(FORM_TYPE, b"review=one%0D%0A%0D%0Atwo%0A++&several=on")
    assert asked.reviews == ("one", "two")
    assert (asked.several, asked.explained) == (True, False)


@pytest.mark.parametrize(
    ("fields", "reviews", "several", "explained"),
    [
        ({"review": "x"}, ("x",), False, True),
        ({"review": "x", "explain": False, "more": 1}, ("x",), False, False),
        ({"reviews": ["x", "y"]}, ("x", "y"), True, False),
        ({"reviews": ["x", 1, None], "explain": True}, ("x", 1, None), True, True),
        ({"review": 7}, (7,), False, True),
    ],
)
def test_json_gives_one_review_or_several(
    fields: dict[str, object], reviews: tuple[object, ...], several: bool, explained: bool
) -> None:
    asked = read(JSON_TYPE, json.dumps(fields).encode())
    assert (asked.reviews, asked.several, asked.explained) == (reviews, several, explained)


def test_a_byte_order_mark_is_no_part_of_a_review() -> None:
    assert read("text/plain", b"\xef\xbb\xbfgood").reviews == ("good",)


@pytest.mark.parametrize(
    ("content_type", "body", "kind"),
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
        ("text/plain", b"caf\xe9", MalformedBodyError),
        (FORM_TYPE, b"review=%ff", MalformedBodyError),
        (FORM_TYPE, b"review=x" + b"&a=1" * 30, MalformedBodyError),
        (FORM_TYPE, b"review=&several=on", EmptyReviewError),
        ("text/plain", b"x" * (LARGEST_BODY + 1), BodyTooLargeError),
        ("text/plain; charset=latin-1", b"x", UnsupportedMediaTypeError),
        ("image/png", b"x", UnsupportedMediaTypeError),
        ("multipart/form-data; boundary=x", b"x", UnsupportedMediaTypeError),
        ("", b"x", UnsupportedMediaTypeError),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(content_type: str, body: bytes, kind: type[SentimentError]) -> None:
    with pytest.raises(kind):
        read(content_type, body)


@given(st.binary(max_size=200), st.sampled_from([JSON_TYPE, FORM_TYPE, "text/plain", "", "x/y"]))
def test_no_body_raises_anything_but_our_own_errors(body: bytes, content_type: str) -> None:
    with suppress(SentimentError):
        assert read(content_type, body).reviews


@given(st.text(max_size=60).filter(lambda text: not any(0xD800 <= ord(each) <= 0xDFFF for each in text)))
def test_the_text_of_a_form_survives_any_error(text: str) -> None:
    assert text_of(FORM_TYPE, urlencode({"review": text}).encode()) == text


@given(st.binary(max_size=100), st.sampled_from([JSON_TYPE, FORM_TYPE, "text/plain", ""]))
def test_asking_for_the_text_and_the_kind_never_fails(body: bytes, content_type: str) -> None:
    assert isinstance(text_of(content_type, b"review=" + body), str)
    assert isinstance(kind_of(content_type, body), Representation)


@pytest.mark.parametrize(
    ("content_type", "body", "several"),
    [
        (FORM_TYPE, b"review=a&several=on", True),
        (FORM_TYPE, b"review=a", False),
        ("text/plain", b"a&several=on", False),
    ],
)
def test_whether_several_were_asked_about_survives_any_error(content_type: str, body: bytes, several: bool) -> None:
    assert asks_several(content_type, body) is several


@pytest.mark.parametrize(
    ("body", "review"),
    [(b"One%20of%20the%20best", "One of the best"), (b"good+bad", "good bad"), (b"100% sure, 2+2", "100% sure, 2+2")],
)
def test_text_that_curl_encoded_is_decoded_and_plain_text_is_not(body: bytes, review: str) -> None:
    assert read(FORM_TYPE, body).reviews == (review,)


def test_the_checkbox_is_found_wherever_it_stands() -> None:
    assert asks_several(FORM_TYPE, b"several=on&review=x")
    assert asks_several(FORM_TYPE, b"review=x&several=on")
    assert not asks_several(FORM_TYPE, b"review=x")
