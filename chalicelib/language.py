"""Is this English? A guess from the letters and the commonest words, to warn a reader, never to refuse a review.

It tells other scripts and other European languages from English well enough for a warning; it does not name them.
"""

from collections.abc import Sequence

FEWEST_WORDS = 5  # below that a Latin-script text is given the benefit of the doubt
_FUNCTION_WORD_LIST = """
the a an and or but not of to in on at for from with by as it its it's is was are were be been i i'm you he she
they we this that these those there what who which his her their my your so if than then very just all have has
had do does did don't isn't wasn't can could would will about out up one more when how
"""
_FUNCTION_WORDS = frozenset(_FUNCTION_WORD_LIST.split())


def probably_english(text: str, words: Sequence[str], known_words: float) -> bool:
    """Tell whether a text is probably English, given its cleaned words and the share (0..1) the vocabulary knows."""
    letters = [character for character in text if character.isalpha()]
    if letters and sum(character < "\u0250" for character in letters) * 2 < len(letters):
        return False  # most letters are of another script; up to U+024F they are Latin
    spelled = [word for word in words if word[0].isalpha()]
    if len(spelled) < FEWEST_WORDS:
        return True
    functional = sum(word in _FUNCTION_WORDS for word in spelled) / len(spelled)
    return functional >= 0.2 or known_words - functional >= 0.6
