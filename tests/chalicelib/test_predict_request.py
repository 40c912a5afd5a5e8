import gzip
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
from chalicelib.forms import FORM_TYPE
from chalicelib.negotiation import Representation
from chalicelib.predict_request import MAX_BODY_BYTES, parse_body

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
    assert request.default_representation is Representation.JSON
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
        ("multipart/form-data; boundary=x", b"x", MalformedBodyError),
        ("multipart/form-data", b"--x--", MalformedBodyError),
        ("", b"caf\xe9", MalformedBodyError),
        (FORM_TYPE, b"utf8=%E2%9C%93&token=1", MalformedBodyError),
        (FORM_TYPE, b"text=good", MalformedBodyError),
        (FORM_TYPE, b"=false", MalformedBodyError),
        (FORM_TYPE, b"1=2&%C3%A9=good&x", MalformedBodyError),
        (FORM_TYPE, b"review=a&review=b", MalformedBodyError),
        (FORM_TYPE, b"review=a&explain=perhaps", MalformedBodyError),
        (FORM_TYPE, b"review=a&several=2", MalformedBodyError),
        ("text/plain", b"{\"review\": 'a'}", MalformedBodyError),
        ("text/plain", b'[{"review": "a"}]', MalformedBodyError),
    ],
)
def test_an_invalid_body_gives_its_error(content_type: str, body: bytes | None, error: type[SentimentError]) -> None:
    request = parse_body(content_type, body)
    assert type(request.error) is error
    assert request.reviews == ()


@pytest.mark.parametrize("content_type", ["text/plain", FORM_TYPE, ""])
@pytest.mark.parametrize("fields", [{"review": "x"}, {"explain": True, "review": "x"}, {"id": 7, "review": "x"}])
def test_json_of_another_content_type_is_read_as_json(content_type: str, fields: dict[str, object]) -> None:
    request = parse_body(content_type, json.dumps(fields).encode())
    assert (request.reviews, request.explain) == (("x",), True)
    assert request.default_representation is Representation.JSON


@pytest.mark.parametrize("body", ["Good", "review=good", "{brackets} and {more}", '[sic] a "review" of a film'])
def test_text_without_a_content_type_is_text(body: str) -> None:
    request = parse_body("", body.encode())
    assert (request.reviews, request.default_representation) == ((body,), Representation.TEXT)


@pytest.mark.parametrize(
    "body", [b"utf8=%E2%9C%93&token=a%2Fb&review=good", b"review=good&utf8=%E2%9C%93", b"a=+&review=good"]
)
def test_a_review_is_found_in_any_field_of_a_form(body: bytes) -> None:
    assert parse_body(FORM_TYPE, body).reviews == ("good",)


@pytest.mark.parametrize(
    ("body", "several", "explain"),
    [
        (b"review=a&several=false", False, True),
        (b"review=a&several=", False, True),
        (b"review=a&several=TRUE", True, False),
        (b"review=a&explain=false", False, False),
        (b"review=a&explain=0&several=0", False, False),
        (b"review=a&several=on&explain=on", True, True),
    ],
)
def test_a_flag_of_a_form_is_on_or_off(body: bytes, several: bool, explain: bool) -> None:
    request = parse_body(FORM_TYPE, body)
    assert request.error is None
    assert (request.several, request.explain) == (several, explain)


MULTIPART = "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW"


def multipart(*parts: tuple[str, str]) -> bytes:
    boundary = MULTIPART.partition("boundary=")[2]
    lines = [f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n" for head, content in parts]
    return ("".join(lines) + f"--{boundary}--\r\n").encode()


def test_a_multipart_form_has_the_same_fields() -> None:
    body = multipart(
        ('name="token"', "1"), ('name="review"', "A great\r\nfilm, na\u00efve"), ('name="explain"', "false")
    )
    request = parse_body(MULTIPART, body)
    assert request.reviews == ("A great\r\nfilm, na\u00efve",)
    assert request.explain is False


def test_a_file_in_a_multipart_form_is_read() -> None:
    file = 'name="review"; filename="review.txt"\r\nContent-Type: text/plain'
    assert parse_body(MULTIPART, multipart((file, "Good"))).reviews == ("Good",)


def test_a_multipart_form_without_a_review_names_its_fields() -> None:
    request = parse_body(MULTIPART, multipart(('name="text"', "Good")))
    assert request.error is not None
    assert "only text" in request.error.detail
    assert request.text == ""


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", " GZIP "])
def test_a_gzip_body_is_decompressed(coding: str) -> None:
    assert parse_body("text/plain", gzip.compress(b"Good"), coding).reviews == ("Good",)


def test_a_body_that_the_gateway_decompressed_is_read_as_it_is() -> None:
    assert parse_body("text/plain", b"Good", "gzip").reviews == ("Good",)


@pytest.mark.parametrize(
    ("coding", "body", "error"),
    [
        ("br", b"x", UnsupportedMediaTypeError),
        ("gzip, br", b"x", UnsupportedMediaTypeError),
        ("gzip", gzip.compress(b"0" * 100_000_000, mtime=0), BodyTooLargeError),
        ("gzip", gzip.compress(b"Good", mtime=0)[:-9], MalformedBodyError),
        ("gzip", b"\x1f\x8bGood", MalformedBodyError),
        ("gzip", gzip.compress(b"Good", mtime=0) + gzip.compress(b", not bad", mtime=0), MalformedBodyError),
    ],
)
def test_an_invalid_encoding_gives_its_error(coding: str, body: bytes, error: type[SentimentError]) -> None:
    request = parse_body("text/plain", body, coding)
    assert type(request.error) is error
    assert request.reviews == ()


@given(st.binary(max_size=200), st.sampled_from([JSON_TYPE, FORM_TYPE, "text/plain", "", "x/y"]), st.booleans())
def test_any_body_gives_either_reviews_or_an_error(body: bytes, content_type: str, is_form: bool) -> None:
    request = parse_body(content_type, b"review=" + body if is_form else body)
    assert bool(request.reviews) != bool(request.error)


@pytest.mark.parametrize("rest", ["", "&several=on", "&a=1" * 30, "&other=(too long)"])
@given(text=st.text(max_size=60).filter(lambda text: not any(0xD800 <= ord(each) <= 0xDFFF for each in text)))
def test_the_text_of_a_form_survives_any_error(rest: str, text: str) -> None:
    rest = rest.replace("(too long)", "x" * MAX_BODY_BYTES)
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
