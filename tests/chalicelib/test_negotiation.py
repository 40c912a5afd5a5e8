import pytest

from chalicelib.errors import NotAcceptableError
from chalicelib.negotiation import Representation, negotiate, parse_content_type

JSON, HTML, TEXT = Representation.JSON, Representation.HTML, Representation.TEXT
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "default", "expected"),
    [
        ("", TEXT, TEXT),
        ("*/*", HTML, HTML),
        ("*/*", JSON, JSON),
        (BROWSER, JSON, HTML),
        ("application/json", HTML, JSON),
        ("application/problem+json", TEXT, JSON),
        ("text/*", JSON, HTML),
        ("text/*", TEXT, TEXT),
        ("text/html;q=0.5, application/json;q=0.9", HTML, JSON),
        ("application/json;q=0, */*", JSON, HTML),
        ("*/*;q=0.1, text/plain;q=0.2", JSON, TEXT),
        ("TEXT/PLAIN ; q=1", JSON, TEXT),
        ("application/json, */*", HTML, JSON),
        ("image/png, */*;q=0.1", TEXT, TEXT),
    ],
)
def test_the_preferred_representation_is_chosen(accept: str, default: Representation, expected: Representation) -> None:
    assert negotiate(accept, default) is expected


@pytest.mark.parametrize("accept", ["image/png", "text/html;q=0", "application/json;q=nonsense", "application/xml"])
def test_an_accept_header_that_allows_no_representation_is_refused(accept: str) -> None:
    with pytest.raises(NotAcceptableError, match="application/json, text/html, text/plain"):
        negotiate(accept, JSON)


def test_a_content_type_is_parsed_in_lower_case() -> None:
    assert parse_content_type('Text/Plain; Charset="UTF-8"') == ("text/plain", {"charset": "utf-8"})
