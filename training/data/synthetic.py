"""Generated reviews in the official layout: for rehearsals and tests, where the labelled reviews are not at hand.

A model learns them in seconds, and what it learns is worth nothing: sentences are put together from a few dozen words.
One sentence in six says the opposite of its review's label, so that there is something to be wrong about.
"""

import io
import random
import tarfile
from collections.abc import Iterator
from pathlib import Path

_TOLD = ("the film", "this movie", "its plot", "the cast", "every scene", "the score", "that ending", "her role")
_JUDGED = {
    "pos": ("is wonderful", "was a joy to watch", "is superb", "is not bad at all", "deserves 9/10", "felt so moving"),
    "neg": ("is horrible", "was a waste of time", "is dull", "is not good at all", "deserves 2/10", "felt so boring"),
}
_RATINGS = (("pos", (7, 8, 9, 10)), ("neg", (1, 2, 3, 4)))


def review(label: str, seed: str) -> str:
    """Write a review of 2 to 9 sentences, of which one in six says the opposite of its label (`pos` or `neg`)."""
    chance = random.Random(seed)
    other = {"pos": "neg", "neg": "pos"}[label]
    sides = [other if chance.random() < 1 / 6 else label for _ in range(chance.randint(2, 9))]
    return f"Review {seed.rsplit('-')[-1]}. " + " ".join(
        f"{chance.choice(_TOLD)} {chance.choice(_JUDGED[side])}." for side in sides
    )


def files(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield (path in the official layout, content) of generated reviews, `count` for each of the four folders."""
    for split in ("train", "test"):
        for label, ratings in _RATINGS:
            for number in range(count):
                name = f"aclImdb/{split}/{label}/{number}_{ratings[number % 4]}.txt"
                yield name, review(label, f"{split}-{label}-{number}").encode()


def write_archive(path: Path, contents: Iterator[tuple[str, bytes]]) -> Path:
    """Write a .tar.gz of these files, and return its path."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in contents:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path
