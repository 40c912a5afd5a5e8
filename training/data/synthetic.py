"""Synthetic reviews in the official layout, for rehearsals and tests without the labelled reviews.

Their sentences combine a few dozen words, so a model learns them in seconds, and is useless on real reviews. One
sentence in six contradicts its review's label, so that a model makes some errors. `DRIFTED` reviews have new words, are
shorter, and are mostly negative, to rehearse how drift is found.
"""

import io
import random
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_RATINGS = (("pos", (7, 8, 9, 10)), ("neg", (1, 2, 3, 4)))


class Style(NamedTuple):
    """The words and the shares of generated reviews.

    `positive` is the share of positive reviews, 0..1, and `sentences` the smallest and the largest number of sentences.
    """

    name: str
    subjects: tuple[str, ...]
    opinions: dict[str, tuple[str, ...]]  # "pos" or "neg" -> its phrases
    sentences: tuple[int, int]
    positive: float


USUAL = Style(
    "",
    ("the film", "this movie", "its plot", "the cast", "every scene", "the score", "that ending", "her role"),
    {
        "pos": (
            "is wonderful",
            "was a joy to watch",
            "is superb",
            "is not bad at all",
            "deserves 9/10",
            "felt so moving",
        ),
        "neg": (
            "is horrible",
            "was a waste of time",
            "is dull",
            "is not good at all",
            "deserves 2/10",
            "felt so boring",
        ),
    },
    sentences=(2, 9),
    positive=0.5,
)
DRIFTED = Style(
    "drifted-",
    ("the series", "this season", "its streamverse", "the showrunner", "every episode", "the reboot", "the film"),
    {
        "pos": ("is bingeworthy", "slaps hard", "is a total vibe", "is wonderful", "was peak telly"),
        "neg": ("is cringe", "was nerfed", "is so mid", "is horrible", "was pure cashgrabbery"),
    },
    sentences=(1, 4),
    positive=0.25,
)


def review(label: str, seed: str, style: Style = USUAL) -> str:
    """Generate a review; one sentence in six contradicts its label (`pos` or `neg`)."""
    generator = random.Random(seed)
    other = {"pos": "neg", "neg": "pos"}[label]
    count = generator.randint(*style.sentences)
    labels = [other if generator.random() < 1 / 6 else label for _ in range(count)]
    return f"Review {seed.rsplit('-')[-1]}. " + " ".join(
        f"{generator.choice(style.subjects)} {generator.choice(style.opinions[each])}." for each in labels
    )


def files(count: int, style: Style = USUAL) -> Iterator[tuple[str, bytes]]:
    """Yield (path in the official layout, content) of synthetic reviews, 2 `count` for each split."""
    positive = round(2 * count * style.positive)
    for split in ("train", "test"):
        for label, ratings in _RATINGS:
            for number in range(positive if label == "pos" else 2 * count - positive):
                name = f"aclImdb/{split}/{label}/{number}_{ratings[number % 4]}.txt"
                yield name, review(label, f"{style.name}{split}-{label}-{number}", style).encode()


def write_archive(path: Path, contents: Iterator[tuple[str, bytes]]) -> Path:
    """Write files, given as (path, content), into a .tar.gz; returns its path."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in contents:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path
