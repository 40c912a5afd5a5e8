"""Language detection: whether a text is probably English, from its letters and function words.

It is accurate enough for other scripts and other European languages to warn about them; it does not identify them.
"""

from collections.abc import Sequence

MIN_WORDS = 5  # a shorter text in Latin script counts as English
_FUNCTION_WORD_LIST = """
the a an and or but not of to in on at for from with by as it its it's is was are were be been i i'm you he she
they we this that these those there what who which his her their my your so if than then very just all have has
had do does did don't isn't wasn't can could would will about out up one more when how
"""
_FUNCTION_WORDS = frozenset(_FUNCTION_WORD_LIST.split())


def probably_english(text: str, words: Sequence[str], known_words: float) -> bool:
    """Return whether a text is probably English, given its words and the share (0..1) of them in the vocabulary."""
    letters = [character for character in text if character.isalpha()]
    if letters and sum(character < "\u0250" for character in letters) * 2 < len(letters):
        return False  # most letters are not Latin, which end at U+024F
    alphabetic = [word for word in words if word[0].isalpha()]
    if len(alphabetic) < MIN_WORDS:
        return True
    functional = sum(word in _FUNCTION_WORDS for word in alphabetic) / len(alphabetic)
    return functional >= 0.2 or known_words - functional >= 0.6
