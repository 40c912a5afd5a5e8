"""Written ratings, grades, thumbs and emoticons, each as one word.

A rating out of 4, 5, 10 or 100 becomes `N/10`, rounded half up: `4/5`, `7.5/10`, `two out of four stars`,
`*** out of *****`, \N{BLACK STAR}\N{BLACK STAR}\N{WHITE STAR}. Grades (`B+`, `grade: C`) and thumbs become ratings too;
a grade's rating is the mean rating of the training reviews that state it. Emoticons become `:)`, `;)` or `:(`; emoji
become these words or ratings. Left as they are: fractions (`3/4`, `1/5 of the film`), dates, numbers of stars without a
scale (`4 stars`), and signs that people use for both joy and mockery. See docs/explanation/cleaner.md.

The text must be in lower case, without markup. Every repeat is bounded, so the time is linear in the length.
"""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

Match = re.Match[str]

_NUMBER_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBERS = {**{name: float(value) for value, name in enumerate(_NUMBER_NAMES)}, "half": 0.5, "1/2": 0.5}
_SCALES = {"four": 4, "five": 5, "ten": 10, "a hundred": 100}
_GRADES = {"a+": 10, "a": 9, "a-": 8, "b+": 7, "b": 7, "b-": 7, "c+": 5, "c": 4, "c-": 4, "d+": 3, "d": 3, "d-": 2}
_THUMBS = {(False, "up"): 8, (True, "up"): 10, (False, "down"): 2, (True, "down"): 0}

_END = r"(?= {0,3}(?:\Z|[\n\r.,;:!?)\]\"(/]))"  # no word follows
_AFTER_GRADE = rf"(?:{_END}|(?= (?:and|at best|but|for|in my|rating)\b))"
_HALF = r"(?P<half>[ -]and[ -]a[ -]half|(?: and)? ?(?<![0-9])1/2)?"
_UNIT = r"(?P<unit>[ -](?:a )?(?:stars?|points?|\*))?"
_SEPARATOR = (
    r"(?:(?P<slash> ?/ ?)|(?P<from> from )|(?P<of>[ -]of[ -])"
    r"|[ -]\(?out[ -]of[ -](?:an? )?(?:possible |total )?)"
)
_SCALE = (
    r"(?P<scale>100|10|5|4|\*(?: ?\*){3,4}|a hundred|ten|five|four)(?:\.0)?"
    r"(?![\w/*]|[.,][0-9])(?P<starred>[ -]stars?(?![a-z]))?(?:" + _END + r"(?P<last>))?"
    r"(?! (?:of|times|people|viewers|critics|movies|films|episodes|cases|men|women)\b)"
)
_OF_SCALE = _HALF + _UNIT + _SEPARATOR + _SCALE
_STARS = re.compile(
    r"(?P<number>[\u2605\u2606](?: ?[\u2605\u2606]){0,9})(?:(?P<half> ?1/2)(?P<rest>(?: ?\u2606){0,9}))?"
    rf"(?:{_SEPARATOR}{_SCALE})?"
)
_RATING = re.compile(
    r"(?P<number>[0-9*](?<![\w/$].)(?<![0-9][.,].)"
    r"(?:(?<=[0-9])[0-9]{0,2}(?:[.,][0-9]{1,2})?|(?<=1)/2|(?<=\*)(?: ?\*){0,4})"
    rf"|(?<![\w'-])(?:{'|'.join(_NUMBER_NAMES)}|half))" + _OF_SCALE
)
_THUMB = re.compile(r"(?P<both>(?:two|2|both) (?:[a-z]{1,14} )?)?(?:thumbs?)(?: way)?[ -](?P<thumb>up|down)(?![a-z])")
_GRADE = re.compile(
    r"(?P<grade>[abcdf](?<![\w'&*-].)(?:\+(?![\w+])|-" + _AFTER_GRADE + "|"
    r"(?:(?<=grade: .)|(?<=grade:.)|(?<=grade .)|(?<=grade of .)|(?<=grade of a .)|(?<=grade of an .))" + _END + "))"
)
_EMOTICON = re.compile(
    r"[:;=^<](?:"
    r"(?P<happy>(?<=[:=])'?-?\){1,9}+|(?<=[:=])(?<!\w.)-?d(?!\w)|(?<=\^)_{1,3}\^|(?<=<)(?<!\w.)3(?![\w.,/%]))"
    r"|(?P<winking>(?<=;)-?\){1,9}+)"
    r"|(?P<sad>(?<=[:=])'?-?\((?![a-z0-9])\({0,9}+|(?<=[:=])(?<!\w.)-?/(?![\w/])))"
)

# What a form contains; each begins with a letter or sign, which the regular expression engine searches fast.
_OF_A_SCALE = re.compile(r"of[ -](?:an? )?(?:possible |total )?(?:10|[45*]|ten\b|four\b|five\b|hundred\b)")
_SLASH_AND_SCALE = re.compile(r"/ ?(?:10|[45*])")
_GRADE_AND_LETTER = re.compile(r"grade(?: of(?: an?)?|:)? ?[abcdf]")
_MINUS_AT_AN_END = re.compile("-" + _AFTER_GRADE)
_COLON_AND_MOUTH = re.compile(r":['()d/-]")
_LONGEST_LEAD = 40  # characters of a form before these

_SYMBOLS_OF_WORD = {
    " :)": "😀😃😄😁😆😊😇☺🙂😍🥰😘😻🤩🥳😋🤗🙌👌❤♥💕💖💗💙💚💛💜🧡🖤💞💓",
    " ;)": "😉",
    " :(": "😢☹🙁😞😔😟😠😡🤬🤮🤢💩😒😖😣👿😑😕🥱😴",
    " 8/10 ": "👍",
    " 2/10 ": "👎",
    " 10/10 ": "💯",
    "\u2605": "★⭐🌟✭✮✯",
    "\u2606": "☆✩✰",
}
WORD_OF_SYMBOL = {symbol: word for word, symbols in _SYMBOLS_OF_WORD.items() for symbol in symbols}


class Form(NamedTuple):
    """A family of written forms.

    `start` returns a position before the first form of a text, -1 if there is none; it is a fast test for texts without
    any. `plain` returns what replaces a match of `pattern`.
    """

    start: Callable[[str], int]
    pattern: re.Pattern[str]
    plain: Callable[[Match], str]


def _out_of_ten(value: float, scale: int) -> str | None:
    """Return the word for a rating, `None` if it is above its scale."""
    return f" {int(value * 10 / scale + 0.5)}/10 " if value <= scale else None


def _scale(text: str) -> int:
    """Return the number that a scale stands for: `five` -> 5, `****` -> 4."""
    return int(text) if text.isdigit() else _SCALES.get(text) or text.count("*")


def _value(number: str) -> float:
    """Return a written number: `3.5`, `3,5`, `three`, `1/2`, `***`."""
    if number[0] == "*":
        return number.count("*")
    return _NUMBERS[number] if number in _NUMBERS else float(number.replace(",", "."))


def _is_rating(match: Match) -> bool:
    """Return whether a number and a scale are a rating, and not a fraction, a date or a count."""
    number, scale = match["number"], _scale(match["scale"])
    in_digits = number[0].isdigit()
    if number[0] == "*" or match["unit"] or match["starred"] or match["scale"][0] == "*":
        return True
    if match["slash"]:  # `3/4` is a fraction
        return bool(scale != 4 or match["half"] or not number.isdigit())
    if match["from"]:
        return False
    if match["of"]:  # `8 of 10`, but not `one of ten` or `3 of 5`
        return scale == 10 and in_digits
    return in_digits or scale >= 10 or match["last"] is not None


def _plain_rating(match: Match) -> str:
    """Return the word for a rating, or the text itself if it is something else."""
    if not _is_rating(match):
        return match[0]
    value, scale = _value(match["number"]) + bool(match["half"]) / 2, _scale(match["scale"])
    before = match.string[max(match.start() - 2, 0) : match.start()]
    if value == scale and before[-1:] == "-" and not before[0].isalnum():  # "-10/10" is no praise
        value = 0.0
    return _out_of_ten(value, scale) or match[0]


def _plain_stars(match: Match) -> str:
    """Return the word for a run of stars; without empty stars or a scale, two or more are out of five, then of ten."""
    run, half = match["number"], bool(match["half"])
    full, empty = run.count("\u2605"), (run + (match["rest"] or "")).count("\u2606")
    if match["scale"]:
        scale = _scale(match["scale"])
    elif full + empty == 1 and not half:  # an ornament
        return match[0]
    else:
        scale = full + half + empty if empty else 5 if full + half <= 5 else 10
    return _out_of_ten(full + half / 2, scale) or match[0]


def _plain_thumb(match: Match) -> str:
    """Return the word for thumbs up or down."""
    return f" {_THUMBS[bool(match['both']), match['thumb']]}/10 "


def _plain_grade(match: Match) -> str:
    """Return the word for a grade."""
    return f" {_GRADES.get(match['grade'], 1)}/10 "


def _plain_emoticon(match: Match) -> str:
    """Return the word for an emoticon."""
    return {"happy": " :) ", "winking": " ;) ", "sad": " :( "}[match.lastgroup or ""]


def _start(positions: Iterable[int]) -> int:
    """Return a position well before the first of some positions; -1 if each is -1."""
    found = [position for position in positions if position >= 0]
    return max(min(found) - _LONGEST_LEAD, 0) if found else -1


def _stars_start(text: str) -> int:
    """Return a position before the first run of stars."""
    return -1 if text.isascii() else _start([text.find("\u2605"), text.find("\u2606")])


def _rating_start(text: str) -> int:
    """Return a position before the first scale."""
    of_scale = _OF_A_SCALE.search(text)
    slash = _SLASH_AND_SCALE.search(text) if "/" in text else None
    if of_scale or slash or "*" in text:
        return _start([text.find("from *"), *(match.start() for match in (of_scale, slash) if match)])
    return -1


def _thumb_start(text: str) -> int:
    """Return a position before the first thumb."""
    return _start([text.find("thumb")]) if "thumb" in text else -1


def _grade_start(text: str) -> int:
    """Return a position before the first grade."""
    named, minus = _GRADE_AND_LETTER.search(text), _MINUS_AT_AN_END.search(text)
    if named or minus or "+" in text:
        return _start([text.find("+"), *(match.start() for match in (named, minus) if match)])
    return -1


def _emoticon_start(text: str) -> int:
    """Return 0 if the text may have an emoticon."""
    may_occur = "=" in text or "^" in text or "<" in text or (";" in text and ";-" in text)
    return 0 if may_occur or (":" in text and _COLON_AND_MOUTH.search(text)) else -1


FORMS = (  # in the order in which they are replaced
    Form(_stars_start, _STARS, _plain_stars),
    Form(_rating_start, _RATING, _plain_rating),
    Form(_thumb_start, _THUMB, _plain_thumb),
    Form(_grade_start, _GRADE, _plain_grade),
    Form(_emoticon_start, _EMOTICON, _plain_emoticon),
)
