"""Negation scopes: which words of a review a negation reverses, used by both training and serving.

A scope is the run of up to `REACH` words after a cue (`not`, `far from`, `could have been`): it ends at the next
negation, at a word such as `but`, and at `!` or `?`. A negation that only emphasizes has no scope: `not only`, `no
doubt`, `couldn't be better`, `can't recommend it enough`. A word such as `without` inside a scope reverses twice: `not
without charm`.
"""

import re
from collections.abc import Sequence
from itertools import compress

REACH = 5  # words

_NEGATOR_LIST = """
no not never none nor neither nothing nobody nowhere hardly barely scarcely seldom rarely cannot
don't doesn't didn't isn't wasn't aren't weren't ain't can't couldn't won't wouldn't shouldn't haven't hasn't hadn't
dont doesnt didnt isnt wasnt arent werent aint cant couldnt wont wouldnt shouldnt havent hasnt hadnt
"""
_ABSENCE_LIST = "without lack lacks lacking lacked fail fails failed failing devoid missing zero shortage"
_WISH_LIST = "wanted tried tries trying wish wished hoped hoping expected expecting supposed attempts pretends"
_END_LIST = "but however although though yet except because just mostly instead ! ?"
_CLAUSE_LIST = "i we he she they you it's i'm he's she's they're there's that's"
_DENIAL_LIST = "think thought believe say said know feel felt call find mean that"
_COMPARATIVE = re.compile(
    r"more|less|better|worse|[a-z]+ier|harder|higher|stronger|weaker|greater|finer|dumber|smarter|duller"
)

NEGATORS = frozenset(_NEGATOR_LIST.split())
ABSENCES = frozenset(_ABSENCE_LIST.split())  # these reverse a second time inside a scope
_WISHES = frozenset(_WISH_LIST.split())
_PHRASES = {  # first word -> the words that must follow it
    "far": ("from",),
    "away": ("from",),
    "way": ("from",),
    "free": ("of",),
    "anything": ("but",),
    "opposite": ("of",),
    "could've": ("been",),
    "should've": ("been",),
    "would've": ("been",),
    "could": ("have", "been"),
    "should": ("have", "been"),
    "would": ("have", "been"),
    "might": ("have", "been"),
}
_ENDS = frozenset(_END_LIST.split())
_CLAUSE_STARTS = frozenset(_CLAUSE_LIST.split())  # but not after a denial: "i don't think it's good"
_DENIALS = frozenset(_DENIAL_LIST.split())
_STOPS = _ENDS | _CLAUSE_STARTS | NEGATORS
_CUES = NEGATORS | ABSENCES | _WISHES | _PHRASES.keys()
_CANNOT = frozenset(("can't", "cannot", "couldn't", "cant", "couldnt"))
_EMPHATIC = _CANNOT | {"never", "nothing", "nobody", "hasn't", "haven't", "wouldn't"}  # before a comparative
_COMPARED = _EMPHATIC | {"no"}
_RESULTS = frozenset(("get", "gets", "come"))  # "doesn't get better than this"
_PERFECT = frozenset(("haven't", "hasn't", "hadn't", "never", "havent", "hasnt"))  # "haven't laughed this much"
_AFTERWARDS = {  # negation -> the next words with which it negates nothing
    "not": ("only", "just", "merely"),
    "no": ("doubt", "wonder", "matter"),
    "nothing": ("but", "short", "less"),
    "neither": ("here",),
    "without": ("doubt", "question"),
    "can't": ("wait",),
    "cannot": ("wait",),
    "couldn't": ("wait",),
}


def negated_positions(words: Sequence[str]) -> list[int]:
    """Return the sorted positions of the words that are inside an odd number of scopes: `not so good` -> [1, 2]."""
    if _CUES.isdisjoint(words):
        return []
    negated: set[int] = set()
    for position in compress(range(len(words)), map(_CUES.__contains__, words)):
        start, end = _scope(words, position)
        if words[position] in ABSENCES and position in negated:
            negated.difference_update(range(start, end))
        else:
            negated.update(range(start, end))
    return sorted(negated)


def _scope(words: Sequence[str], cue: int) -> tuple[int, int]:
    """Return the start and the end of the scope of the cue at a position; an empty scope if it negates nothing."""
    start = cue + 1
    follows = _PHRASES.get(words[cue])
    if follows:
        if tuple(words[start : start + len(follows)]) != follows:
            return start, start
        start += len(follows)
    elif _is_emphasis(words, cue):
        return start, start
    for position, word in enumerate(words[start : start + REACH], start):
        if word in _ENDS or (word in _STOPS and position > start and words[position - 1] not in _DENIALS):
            return start, position
    return start, min(start + REACH, len(words))


def _is_emphasis(words: Sequence[str], cue: int) -> bool:
    """Return whether a negation only emphasizes: `not only`, `never been so good`, `couldn't be better`."""
    word, near = words[cue], words[cue + 1 : cue + 1 + REACH]
    if not near:
        return False
    if near[0] in _AFTERWARDS.get(word, ()) or (word == "not" and near[:2] == ["to", "mention"]):
        return True
    if word == "without" and "doubt" in near[:2]:
        return True
    if word in _CANNOT and ("enough" in words[cue + 1 : cue + 7] or "too" in near):
        return True
    if word == "never" and not {"so", "such", "as"}.isdisjoint(near):
        return True
    if word in _PERFECT and "this" in near:
        return True
    return _before_comparative(word, near)


def _before_comparative(word: str, near: Sequence[str]) -> bool:
    """Return whether a negation makes a comparative the strongest: `couldn't be better`, `no funnier film`."""
    if word not in _COMPARED and _RESULTS.isdisjoint(near):
        return False
    position = next((index for index, each in enumerate(near) if _COMPARATIVE.fullmatch(each)), None)
    if position is None:
        return False
    if word == "no":
        return position == 0 and near[1:2] != ["than"]
    if not _RESULTS.isdisjoint(near):
        return True
    return word in _EMPHATIC and "any" not in near and "no" not in near
