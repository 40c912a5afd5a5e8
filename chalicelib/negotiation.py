"""Content negotiation: the representation of a response, from the Accept header and the kind of the request's body.

Source: RFC 9110, sections 8.3 (Content-Type) and 12.5.1 (Accept, with quality values and specificity).
"""

from enum import Enum
from typing import NamedTuple

from chalicelib.errors import NotAcceptableError


class Representation(Enum):
    """The representations of a response; the value is the media type."""

    JSON = "application/json"
    HTML = "text/html"
    TEXT = "text/plain"


_PROBLEM = "application/problem+json"  # a client that accepts problem documents gets JSON


class MediaRange(NamedTuple):
    """An entry of an Accept header, with its quality value (0..1)."""

    media_type: str
    quality: float


def parse_content_type(content_type: str) -> tuple[str, dict[str, str]]:
    """Split a Content-Type: `text/plain; charset="UTF-8"` -> `("text/plain", {"charset": "utf-8"})`, lower case."""
    media_type, *parameters = content_type.lower().split(";")
    pairs = (parameter.partition("=") for parameter in parameters)
    return media_type.strip(), {name.strip(): value.strip().strip('"') for name, _, value in pairs}


def _media_ranges(accept: str) -> list[MediaRange]:
    """Parse an Accept header; an invalid quality value counts as 0."""
    ranges = []
    for entry in accept.split(","):
        media_type, parameters = parse_content_type(entry)
        try:
            quality = float(parameters.get("q", "1"))
        except ValueError:
            quality = 0.0
        if media_type:
            ranges.append(MediaRange(media_type, quality))
    return ranges


def _preference(representation: Representation, ranges: list[MediaRange]) -> tuple[float, int]:
    """Return the quality value and the specificity of the most specific range that matches a representation."""
    main_type = representation.value.split("/")[0]
    specificity = {"*/*": 1, f"{main_type}/*": 2, representation.value: 3}
    if representation is Representation.JSON:
        specificity[_PROBLEM] = 3
    matching = [(specificity[entry.media_type], entry.quality) for entry in ranges if entry.media_type in specificity]
    best = max(matching, default=(0, 0.0))
    return best[1], best[0]


def negotiate(accept: str, default: Representation) -> Representation:
    """Choose the representation of a response: the highest quality value, then the most specific, then the default.

    Raises `NotAcceptableError` if the Accept header allows none.
    """
    ranges = _media_ranges(accept) or [MediaRange("*/*", 1.0)]
    candidates = [default, *(each for each in Representation if each is not default)]
    preferred = max(candidates, key=lambda each: _preference(each, ranges))
    if _preference(preferred, ranges)[0] <= 0:
        offered = ", ".join(each.value for each in Representation)
        raise NotAcceptableError(f"The response can be {offered}; the Accept header allows none of them.")
    return preferred
