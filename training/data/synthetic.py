"""Synthetic reviews in the official layout, for rehearsals and tests without the labelled reviews.

Their sentences combine a few dozen words, so a model learns them in seconds, and is useless on real reviews. One
sentence in six contradicts its review's label, so that a model makes some errors.
"""

import io
import random
import tarfile
from collections.abc import Iterator
from pathlib import Path

_SUBJECTS = ("the film", "this movie", "its plot", "the cast", "every scene", "the score", "that ending", "her role")
_OPINIONS = {
    "pos": ("is wonderful", "was a joy to watch", "is superb", "is not bad at all", "deserves 9/10", "felt so moving"),
    "neg": ("is horrible", "was a waste of time", "is dull", "is not good at all", "deserves 2/10", "felt so boring"),
}
_RATINGS = (("pos", (7, 8, 9, 10)), ("neg", (1, 2, 3, 4)))


def review(label: str, seed: str) -> str:
    """Generate a review of 2 to 9 sentences; one in six contradicts its label (`pos` or `neg`)."""
    generator = random.Random(seed)
    other = {"pos": "neg", "neg": "pos"}[label]
    labels = [other if generator.random() < 1 / 6 else label for _ in range(generator.randint(2, 9))]
    return f"Review {seed.rsplit('-')[-1]}. " + " ".join(
        f"{generator.choice(_SUBJECTS)} {generator.choice(_OPINIONS[each])}." for each in labels
    )


def files(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield (path in the official layout, content) of synthetic reviews, `count` for each of the four folders."""
    for split in ("train", "test"):
        for label, ratings in _RATINGS:
            for number in range(count):
                name = f"aclImdb/{split}/{label}/{number}_{ratings[number % 4]}.txt"
                yield name, review(label, f"{split}-{label}-{number}").encode()


def write_archive(path: Path, contents: Iterator[tuple[str, bytes]]) -> Path:
    """Write files, given as (path, content), into a .tar.gz; returns its path."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in contents:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path
