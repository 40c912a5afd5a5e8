"""Labelled reviews as the steps after `data` read them: one file of JSON lines, and a manifest of what it holds.

The file is canonical: reviews sorted by split, number and label, keys in a fixed order. So its SHA-256 is the
fingerprint of the data, the same whether the reviews came as an archive or as a folder.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from chalicelib.errors import SentimentError
from training import atomic

REVIEWS_NAME = "reviews.jsonl"
MANIFEST_NAME = "data.json"
LABEL_NAMES = ("negative", "positive")  # label -> its name
FOLDERS = ("neg", "pos")  # label -> its folder in the official layout


class DataError(SentimentError):
    """The labelled reviews are absent, damaged, or not what they are said to be."""

    type = "data-refused"
    title = "The labelled reviews cannot be used"


@dataclass(frozen=True, slots=True)
class Review:
    """One labelled review.

    `split` is "train" or "test", as the source has it. `number` counts within a split and label, from 0; neighbours
    are often reviews of one movie. `label` is 1 for positive. `rating` is in stars, 1..10, where the source says it.
    """

    split: str
    number: int
    label: int
    rating: int | None
    text: str

    @property
    def id(self) -> str:
        """The review's name: `train/pos/17`."""
        return f"{self.split}/{FOLDERS[self.label]}/{self.number}"

    @property
    def text_digest(self) -> bytes:
        """The same for two reviews that differ in nothing but case and white space."""
        return hashlib.blake2b(" ".join(self.text.casefold().split()).encode(), digest_size=16).digest()


@dataclass(frozen=True)
class Manifest:
    """What a file of reviews holds.

    `counts` is split -> label name -> reviews; `empty` are reviews without text, which were left out. `repeated` are
    reviews of a split whose text was met before in it, `shared` those of test whose text is also in train.
    """

    source: str
    fingerprint: str
    counts: dict[str, dict[str, int]]
    empty: int
    repeated: dict[str, int]
    shared: int

    def total(self, split: str) -> int:
        """Count the reviews of a split."""
        return sum(self.counts.get(split, {}).values())


def write(folder: Path, reviews: Iterable[Review], source: str) -> Manifest:
    """Write the reviews and their manifest, the manifest last; raises `DataError` for an id that comes twice."""
    kept = sorted(reviews, key=lambda review: (review.split, review.number, review.label))
    empty = sum(not review.text.strip() for review in kept)
    kept = [review for review in kept if review.text.strip()]
    _check_ids(kept)
    sha256 = hashlib.sha256()
    with atomic.writing(folder / REVIEWS_NAME) as file:
        for review in kept:
            line = json.dumps(asdict(review), ensure_ascii=False).encode() + b"\n"
            sha256.update(line)
            file.write(line)
    counts: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(LABEL_NAMES, 0))
    for review in kept:
        counts[review.split][LABEL_NAMES[review.label]] += 1
    repeated, shared = _duplicates(kept)
    manifest = Manifest(source, sha256.hexdigest(), dict(counts), empty, repeated, shared)
    atomic.write_text(folder / MANIFEST_NAME, json.dumps(asdict(manifest), indent=2) + "\n")
    return manifest


def _check_ids(reviews: list[Review]) -> None:
    """Raise `DataError` unless every review has an id of its own."""
    twice = [name for name, count in Counter(review.id for review in reviews).items() if count > 1]
    if twice:
        raise DataError(f"The source holds {len(twice)} reviews twice; the first is {twice[0]}.")


def _duplicates(reviews: Iterable[Review]) -> tuple[dict[str, int], int]:
    """Count the texts that come again within a split, and the reviews of test whose text is in train."""
    seen: dict[str, Counter[bytes]] = defaultdict(Counter)
    for review in reviews:
        seen[review.split][review.text_digest] += 1
    repeated = {split: digests.total() - len(digests) for split, digests in seen.items()}
    return repeated, sum(count for digest, count in seen["test"].items() if digest in seen["train"])


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest and check that the reviews beside it are the ones it describes; raises `DataError`."""
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8")))
        with (folder / REVIEWS_NAME).open("rb") as file:
            fingerprint = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"There are no prepared reviews in {folder} ({error}). Run `verdict data`.") from error
    if fingerprint != manifest.fingerprint:
        raise DataError(f"{folder / REVIEWS_NAME} is not the file its manifest describes. Run `verdict data`.")
    return manifest


def read(path: Path, start: int = 0, end: int | None = None) -> Iterator[Review]:
    """Yield the reviews of a file, or of the bytes `start` to `end`, which must be at the ends of lines."""
    with path.open("rb") as file:
        file.seek(start)
        while end is None or file.tell() < end:
            line = file.readline()
            if not line:
                return
            yield Review(**json.loads(line))


def stretches(path: Path, size_bytes: int) -> list[tuple[int, int]]:
    """Cut a file into stretches of whole lines, each of about `size_bytes`: (start, end) in bytes."""
    total = path.stat().st_size
    ends: list[int] = []
    with path.open("rb") as file:
        while (ends[-1] if ends else 0) < total:
            file.seek((ends[-1] if ends else 0) + size_bytes)
            file.readline()
            ends.append(min(file.tell(), total))
    return list(zip([0, *ends], ends, strict=False))
