import pytest

from chalicelib import release
from chalicelib.language import probably_english
from chalicelib.text import words

ENGLISH = [
    "This movie is horrible.",
    "Great acting, superb direction, wonderful music, stunning visuals",
    "wow",
    "I went to see it with my grandmother and we both fell asleep",
    "\N{GRINNING FACE}\N{GRINNING FACE}",
]
OTHER = [
    "\u042d\u0442\u043e \u0443\u0436\u0430\u0441\u043d\u044b\u0439 \u0444\u0438\u043b\u044c\u043c",
    "Ce film est vraiment mauvais et je ne le recommande pas",
    "Der Film war wirklich sehr gut und ich habe ihn gern gesehen",
    "Una pel\u00edcula maravillosa con un guion excelente y actores geniales",
    "\u3053\u306e\u6620\u753b\u306f\u6700\u9ad8\u3067\u3057\u305f",
]


def seems_english(text: str) -> bool:
    found = words(text)
    return probably_english(text, found, release.load().encoder.vocabulary.known_share(found))


@pytest.mark.parametrize("text", ENGLISH)
def test_english_is_recognized(text: str) -> None:
    assert seems_english(text)


@pytest.mark.parametrize("text", OTHER)
def test_other_languages_are_not_recognized(text: str) -> None:
    assert not seems_english(text)
