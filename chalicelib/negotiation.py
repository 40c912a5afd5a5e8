"""Which representation answers a request: its Accept header, and where that is open, the kind of its body.

Source: RFC 9110, sections 8.3 (Content-Type) and 12.5.1 (Accept, with quality values and specificity).
"""

from enum import Enum
from typing import NamedTuple

from chalicelib.errors import NotAcceptableError


class Representation(Enum):
    """What an answer can be written as; the value is its media type."""

    JSON = "application/json"
    HTML = "text/html"
    TEXT = "text/plain"


_PROBLEM = "application/problem+json"  # whoever asks for problems reads JSON


class MediaRange(NamedTuple):
    """One entry of an Accept header, and how much it is wanted (0..1)."""

    media_type: str
    quality: float


def media_type_of(content_type: str) -> tuple[str, dict[str, str]]:
    """Split a Content-Type: `text/plain; charset="UTF-8"` -> `("text/plain", {"charset": "utf-8"})`, lower case."""
    media_type, *parameters = content_type.lower().split(";")
    pairs = (parameter.partition("=") for parameter in parameters)
    return media_type.strip(), {name.strip(): value.strip().strip('"') for name, _, value in pairs}


def _media_ranges(accept: str) -> list[MediaRange]:
    """Read an Accept header; an unreadable quality counts as 0."""
    ranges = []
    for entry in accept.split(","):
        media_type, parameters = media_type_of(entry)
        try:
            quality = float(parameters.get("q", "1"))
        except ValueError:
            quality = 0.0
        if media_type:
            ranges.append(MediaRange(media_type, quality))
    return ranges


def _quality(representation: Representation, ranges: list[MediaRange]) -> tuple[float, int]:
    """How much a representation is wanted, by the most specific range that covers it: (quality, specificity)."""
    kind = representation.value.split("/")[0]
    specificity = {"*/*": 1, f"{kind}/*": 2, representation.value: 3}
    if representation is Representation.JSON:
        specificity[_PROBLEM] = 3
    covering = [(specificity[entry.media_type], entry.quality) for entry in ranges if entry.media_type in specificity]
    best = max(covering, default=(0, 0.0))
    return best[1], best[0]


def negotiate(accept: str, in_kind: Representation) -> Representation:
    """Choose the representation of an answer.

    The most wanted one wins; between equals the more specifically named, then the one in kind. Raises
    `NotAcceptableError` when none is wanted.
    """
    ranges = _media_ranges(accept) or [MediaRange("*/*", 1.0)]
    order = [in_kind, *(each for each in Representation if each is not in_kind)]
    wanted = max(order, key=lambda each: _quality(each, ranges))
    if _quality(wanted, ranges)[0] <= 0:
        offered = ", ".join(each.value for each in Representation)
        raise NotAcceptableError(f"The answer can be {offered}; the Accept header allows none of them.")
    return wanted
