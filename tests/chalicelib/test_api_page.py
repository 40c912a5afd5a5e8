from collections.abc import Mapping
from html import unescape

import pytest

from chalicelib import api_page, openapi
from chalicelib.http import Request


def request(headers: Mapping[str, str], base: str = "/") -> Request:
    return Request("GET", "/api", base, headers, {}, None, "request-1")


@pytest.mark.parametrize(
    ("headers", "base", "address"),
    [
        ({"host": "127.0.0.1:8000"}, "/", "http://127.0.0.1:8000/"),
        ({"host": "verdict.example", "x-forwarded-proto": "https"}, "/prod/", "https://verdict.example/prod/"),
        ({"host": "[::1]:8000"}, "/", "http://[::1]:8000/"),
        ({"host": "a'; rm -rf ~; '"}, "/", "http://example.com/"),
        ({"host": "a.example\n"}, "/", "http://example.com/"),
        ({}, "/", "http://example.com/"),
    ],
)
def test_the_examples_use_the_sites_own_address(headers: Mapping[str, str], base: str, address: str) -> None:
    assert api_page.address(request(headers, base)) == address
    html = api_page.response(request(headers, base)).body
    assert html.count(f"{address}predict") == 7  # six examples and the form


def test_the_page_has_every_route_object_field_and_problem() -> None:
    html = unescape(api_page.response(request({})).body)
    document = openapi.document()
    for path, item in document["paths"].items():
        assert f"<code>{'POST' if 'post' in item else 'GET'} {path}</code>" in html
    for name, schema in document["components"]["schemas"].items():
        assert f'<h3 id="{name}">' in html
        assert all(f"<code>{field}</code>" in html for field in schema["properties"])
    assert all(
        f'<code>{slug}</code></th><td class="number">{status}' in html
        for slug, status in openapi.problem_types().items()
    )


def test_fields_of_objects_in_lists_have_paths() -> None:
    verdict = openapi.document()["components"]["schemas"]["Verdict"]
    fields = {field.path: field for field in api_page.fields(verdict)}
    assert {"label", "words", "words[].text", "words[].places[].start"} <= fields.keys()
    assert fields["words[].effect"].type == "number or null"
    assert fields["score"].required
