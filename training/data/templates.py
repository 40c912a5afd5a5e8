"""Template sentences: short labelled texts of negation, contrast and near misses, with a corpus's own adjectives.

Reviewers seldom write "it isn't wonderful", and people who try the app do. `frames.txt` has one frame per line: its
label (`+` or `-`) and a text with slots. `{good}` takes an adjective of praise and `{bad}` one of blame; `{like}` and
`{charm}` take verbs and nouns. A frame is also used with praise and blame exchanged, and the label with them, unless
its line begins with `!`. A text that is one of the authors' sentences, on which releases are evaluated, is left out.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from chalicelib.text import words
from training.data.authored_sentences import OBVIOUS, SENTENCES, load_sentences
from training.data.reviews import ShortText

SOURCE = "templates"
FRAMES = Path(__file__).with_name("frames.txt")
TEXTS_PER_FRAME = 10  # of each label; a frame without a slot is one text
TARGETS = (0.1, 0.9)  # label -> probability of positive
_SLOT = re.compile(r"\{([a-z]+)\d?\}")
_VERBS = (  # praise, blame: the form after "I", "he" and "he has"
    {"like": "liked", "love": "loved", "enjoy": "enjoyed", "recommend": "recommended", "adore": "adored"},
    {"hate": "hated", "dislike": "disliked", "regret": "regretted", "despise": "despised", "loathe": "loathed"},
)
_NOUNS = (
    (
        *("charm", "heart", "humour", "humor", "wit", "tension", "suspense", "chemistry", "depth", "originality"),
        *("style", "soul", "energy", "imagination", "laughs", "warmth", "passion", "magic", "talent"),
    ),
    (
        *("flaws", "cliches", "dull moments", "problems", "plot holes", "mistakes", "weaknesses", "filler"),
        *(
            "boring parts",
            "weak links",
            "faults",
            "wasted scenes",
            "bad performances",
            "complaints",
            "regrets",
            "missteps",
        ),
    ),
)


class Frame(NamedTuple):
    """A frame: its text, whether it is positive as written, and whether it is also used with the opposite words."""

    text: str
    positive: bool
    mirrored: bool


def read_frames(path: Path = FRAMES) -> list[Frame]:
    """Read the frames."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    parts = [(line.lstrip("!").split(" ", 1), not line.startswith("!")) for line in lines]
    return [Frame(text, sign == "+", mirrored and "{" in text) for (sign, text), mirrored in parts]


def template_texts(praise: Sequence[str], blame: Sequence[str]) -> Iterator[ShortText]:
    """Yield the frames, filled; the same adjectives give the same texts. A frame's number is its texts' group."""
    generator = random.Random(SOURCE)
    evaluated = {tuple(words(each.text)) for path in (SENTENCES, OBVIOUS) for each in load_sentences(path)}
    for group, frame in enumerate(read_frames()):
        for flipped in (False, True)[: 1 + frame.mirrored]:
            adjectives = {"good": blame, "bad": praise} if flipped else {"good": praise, "bad": blame}
            texts = {_fill(frame.text, adjectives, flipped, generator) for _ in range(TEXTS_PER_FRAME)}
            for text in sorted(text for text in texts if tuple(words(text)) not in evaluated):
                yield ShortText(SOURCE, "train", group, TARGETS[frame.positive != flipped], True, text)


def _fill(frame: str, adjectives: Mapping[str, Sequence[str]], flipped: bool, generator: random.Random) -> str:
    """Fill the slots of a frame at random."""

    def word(slot: re.Match[str]) -> str:
        if slot[1] in adjectives:
            return generator.choice(adjectives[slot[1]])
        if slot[1] == "charm":
            return generator.choice(_NOUNS[flipped])
        verb = generator.choice([*_VERBS[flipped]])
        return {"like": verb, "likes": f"{verb}s", "liked": _VERBS[flipped][verb]}[slot[1]]

    return _SLOT.sub(word, frame)
