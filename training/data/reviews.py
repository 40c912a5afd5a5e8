"""Labelled reviews as step `data` writes them: one file of JSON lines, and a manifest of its content.

The file is canonical: reviews are sorted by split, number and label, and keys have a fixed order. So its SHA-256 is the
fingerprint of the data, and is the same for an archive and for a folder.
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
    """The labelled reviews are missing, damaged, or different from their manifest."""

    type = "data-refused"
    title = "The labelled reviews cannot be used"


@dataclass(frozen=True, slots=True)
class Review:
    """One labelled review.

    `split` is "train" or "test", as in the source. `number` counts within a split and label, from 0; neighbours are
    often reviews of the same movie. `label` is 1 for positive. `rating` is in stars, 1..10, if the source has it.
    """

    split: str
    number: int
    label: int
    rating: int | None
    text: str

    @property
    def id(self) -> str:
        """The review's id: `train/pos/17`."""
        return f"{self.split}/{FOLDERS[self.label]}/{self.number}"

    @property
    def text_digest(self) -> bytes:
        """A hash of the text that ignores case and white space."""
        return hashlib.blake2b(" ".join(self.text.casefold().split()).encode(), digest_size=16).digest()


@dataclass(frozen=True)
class Manifest:
    """The content of a file of reviews.

    `counts` is split -> label name -> reviews. `empty` counts the reviews without text, which were skipped; `repeated`
    the reviews of a split whose text an earlier one has; `shared` the test reviews whose text is also in train.
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
    """Write the reviews, and then their manifest; raises `DataError` if two have the same id."""
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
    """Raise `DataError` if two reviews have the same id."""
    duplicate_ids = [name for name, count in Counter(review.id for review in reviews).items() if count > 1]
    if duplicate_ids:
        raise DataError(f"The source has {len(duplicate_ids)} duplicate review ids; the first is {duplicate_ids[0]}.")


def _duplicates(reviews: Iterable[Review]) -> tuple[dict[str, int], int]:
    """Count the repeated texts within each split, and the test reviews whose text is in train."""
    seen: dict[str, Counter[bytes]] = defaultdict(Counter)
    for review in reviews:
        seen[review.split][review.text_digest] += 1
    repeated = {split: digests.total() - len(digests) for split, digests in seen.items()}
    return repeated, sum(count for digest, count in seen["test"].items() if digest in seen["train"])


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a folder; raises `DataError` if the reviews differ from it."""
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8")))
        with (folder / REVIEWS_NAME).open("rb") as file:
            fingerprint = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"There are no collected reviews in {folder} ({error}). Run `verdict data`.") from error
    if fingerprint != manifest.fingerprint:
        raise DataError(f"{folder / REVIEWS_NAME} was changed since it was collected. Run `verdict data`.")
    return manifest


def read(path: Path, start: int = 0, end: int | None = None) -> Iterator[Review]:
    """Yield the reviews of a file, or of its bytes from `start` to `end`, both at ends of lines."""
    with path.open("rb") as file:
        file.seek(start)
        while end is None or file.tell() < end:
            line = file.readline()
            if not line:
                return
            yield Review(**json.loads(line))


def chunks_of(path: Path, size_bytes: int) -> list[tuple[int, int]]:
    """Divide a file into chunks of whole lines, each of about `size_bytes`: (start, end) in bytes."""
    total = path.stat().st_size
    ends: list[int] = []
    with path.open("rb") as file:
        while (ends[-1] if ends else 0) < total:
            file.seek((ends[-1] if ends else 0) + size_bytes)
            file.readline()
            ends.append(min(file.tell(), total))
    return list(zip([0, *ends], ends, strict=False))
