"""The files that step `data` writes: reviews, unlabelled reviews and short texts as JSON lines, and their manifest.

Only the labelled reviews are required. Each file is canonical: records are sorted, and keys have a fixed order. So the
fingerprint of the data, which covers all files, is the same for an archive and for a folder.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from chalicelib.errors import SentimentError
from training import atomic, locks

REVIEWS_NAME = "reviews.jsonl"
UNLABELLED_NAME = "unlabelled.jsonl"
SHORT_TEXTS_NAME = "short_texts.jsonl"
MANIFEST_NAME = "data.json"
LABEL_NAMES = ("negative", "positive")  # label -> its name
FOLDERS = ("neg", "pos")  # label -> its folder in the official layout
_OPTIONAL = ("movie", "lines")  # fields of a review that are not written without a value

Record = TypeVar("Record", "Review", "UnlabelledReview", "ShortText")


class DataError(SentimentError):
    """The labelled reviews are missing, damaged, or different from their manifest."""

    type = "data-refused"
    title = "The labelled reviews cannot be used"


@dataclass(frozen=True, slots=True)
class Review:
    """One labelled review.

    `split` is "train" or "test", as in the source. `number` counts within a split and label, from 0; neighbours are
    often reviews of the same movie. `label` is 1 for positive. `rating` is in stars, 1..10, and `movie` is an IMDb
    title id such as "tt0406816", if the source has them. `lines` is its number of lines in a train channel, if that is
    not the usual one.
    """

    split: str
    number: int
    label: int
    rating: int | None
    text: str
    movie: str | None = None
    lines: int | None = None

    @property
    def id(self) -> str:
        """The review's id: `train/pos/17`."""
        return id_of(self.split, self.label, self.number)

    @property
    def text_digest(self) -> bytes:
        """A hash of the text that ignores case and white space."""
        return digest_of(self.text)


@dataclass(frozen=True, slots=True)
class UnlabelledReview:
    """One review without a label, of any rating; `number` counts from 0, and `movie` is an IMDb title id."""

    number: int
    movie: str | None
    text: str


@dataclass(frozen=True, slots=True)
class ShortText:
    """One sentence or phrase, or one row of a labelled file that was added to an archive.

    `source` is "treebank" or the file's name, and `split` is "train", "dev" or "test". `group` counts the sentences
    within a source and split; a phrase has its sentence's. `target` is the probability of positive, 0..1. `whole` is
    False for a phrase.
    """

    source: str
    split: str
    group: int
    target: float
    whole: bool
    text: str

    @property
    def id(self) -> str:
        """The text's id: `treebank/train/17`."""
        return f"{self.source}/{self.split}/{self.group}"


def id_of(split: str, label: int, number: int) -> str:
    """Return the id of a labelled review: `train/pos/17`."""
    return f"{split}/{FOLDERS[label]}/{number}"


def digest_of(text: str) -> bytes:
    """Return a hash of a text that ignores case and white space."""
    return hashlib.blake2b(" ".join(text.casefold().split()).encode(), digest_size=16).digest()


@dataclass(frozen=True)
class Manifest:
    """The content of a folder of data.

    `source` names the sources. `counts` is split -> label name -> reviews. `empty` counts the blank texts, which were
    skipped; `repeated` the reviews of a split whose text an earlier one has; `shared` the test reviews whose text is
    also in train. `movies` counts the movies of each split, where they are known. `unlabelled` counts the unlabelled
    reviews, and `short_texts` is source -> split -> "sentences" or "phrases" -> texts. `overlapping` counts the
    unlabelled and the short texts that were left out because they are also a labelled review, or a short text of dev or
    test. `files` maps names to SHA-256.
    """

    source: str
    fingerprint: str
    counts: dict[str, dict[str, int]]
    empty: int
    repeated: dict[str, int]
    shared: int
    movies: dict[str, int] = field(default_factory=dict)
    unlabelled: int = 0
    short_texts: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    overlapping: int = 0
    files: dict[str, str] = field(default_factory=dict)

    def total(self, split: str) -> int:
        """Count the reviews of a split."""
        return sum(self.counts.get(split, {}).values())


def write(
    folder: Path,
    reviews: Iterable[Review],
    source: str,
    unlabelled: Iterable[UnlabelledReview] = (),
    short_texts: Iterable[ShortText] = (),
) -> Manifest:
    """Write the files, and then their manifest; raises `DataError` if two reviews have the same id.

    Optional files of an earlier call are deleted.
    """
    given = (list(reviews), list(unlabelled), list(short_texts))
    kept = sorted(_with_text(given[0]), key=lambda review: (review.split, review.number, review.label))
    _check_ids(kept)
    others, short = _with_text(given[1]), _with_text(given[2])
    empty = sum(len(records) for records in given) - len(kept) - len(others) - len(short)
    held_out = _held_out(kept, short) if others or short else set()
    kept_others = sorted(_without(others, held_out), key=lambda each: each.number)
    kept_short = [each for each in short if each.split != "train"]
    kept_short += _without((each for each in short if each.split == "train"), held_out)
    kept_short.sort(key=lambda each: (each.source, each.split, each.group))  # a sentence stays before its phrases
    repeated, shared = _duplicates(kept)
    with locks.writing(folder):
        files = _write_files(folder, kept, kept_others, kept_short)
        manifest = Manifest(
            source,
            fingerprint=_combined(files),
            counts=_counts(kept),
            empty=empty,
            repeated=repeated,
            shared=shared,
            movies=_movies(kept),
            unlabelled=len(kept_others),
            short_texts=_short_counts(kept_short),
            overlapping=len(others) + len(short) - len(kept_others) - len(kept_short),
            files=files,
        )
        atomic.write_text(folder / MANIFEST_NAME, json.dumps(asdict(manifest), indent=2) + "\n")
    return manifest


def _with_text(records: Iterable[Record]) -> list[Record]:
    """Return the records that have a text."""
    return [record for record in records if record.text.strip()]


def _held_out(reviews: Iterable[Review], short_texts: Iterable[ShortText]) -> set[bytes]:
    """Return the digests of labelled reviews, and of short texts of dev or test: nothing else may teach these."""
    texts = {digest_of(each.text) for each in short_texts if each.split != "train"}
    return texts | {review.text_digest for review in reviews}


def _without(records: Iterable[Record], digests: set[bytes]) -> list[Record]:
    """Return the records whose text has none of these digests."""
    return [record for record in records if digest_of(record.text) not in digests]


def _write_files(
    folder: Path, reviews: list[Review], unlabelled: list[UnlabelledReview], short_texts: list[ShortText]
) -> dict[str, str]:
    """Write the files that have records, and delete the others; returns names and SHA-256."""
    files = {REVIEWS_NAME: _write_lines(folder / REVIEWS_NAME, reviews)}
    if unlabelled:
        files[UNLABELLED_NAME] = _write_lines(folder / UNLABELLED_NAME, unlabelled)
    if short_texts:
        files[SHORT_TEXTS_NAME] = _write_lines(folder / SHORT_TEXTS_NAME, short_texts)
    for name in {UNLABELLED_NAME, SHORT_TEXTS_NAME} - files.keys():
        (folder / name).unlink(missing_ok=True)
    return files


def _write_lines(path: Path, records: Iterable[Review | UnlabelledReview | ShortText]) -> str:
    """Write records as JSON lines; returns the file's SHA-256."""
    sha256 = hashlib.sha256()
    with atomic.writing(path) as file:
        for record in records:
            values = {each.name: getattr(record, each.name) for each in fields(record)}
            if isinstance(record, Review):  # as in files from sources without movies, and before there were lines
                values = {name: value for name, value in values.items() if name not in _OPTIONAL or value is not None}
            line = json.dumps(values, ensure_ascii=False).encode() + b"\n"
            sha256.update(line)
            file.write(line)
    return sha256.hexdigest()


def _combined(files: dict[str, str]) -> str:
    """Return the fingerprint of files: the SHA-256 of the reviews, or of all names and SHA-256 if there are others."""
    if len(files) == 1:
        return files[REVIEWS_NAME]
    return hashlib.sha256("".join(f"{files[name]}  {name}\n" for name in sorted(files)).encode()).hexdigest()


def _counts(reviews: Iterable[Review]) -> dict[str, dict[str, int]]:
    """Count reviews by split and label name."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(LABEL_NAMES, 0))
    for review in reviews:
        counts[review.split][LABEL_NAMES[review.label]] += 1
    return dict(counts)


def _movies(reviews: Iterable[Review]) -> dict[str, int]:
    """Count the movies of each split that has some."""
    movies: dict[str, set[str]] = defaultdict(set)
    for review in reviews:
        if review.movie:
            movies[review.split].add(review.movie)
    return {split: len(found) for split, found in movies.items()}


def _short_counts(texts: Iterable[ShortText]) -> dict[str, dict[str, dict[str, int]]]:
    """Count short texts by source, split and kind."""
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for each in texts:
        of_split = counts.setdefault(each.source, {}).setdefault(each.split, {"sentences": 0, "phrases": 0})
        of_split["sentences" if each.whole else "phrases"] += 1
    return counts


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
    """Read the manifest of a folder; raises `DataError` if the files differ from it."""
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8")))
        files = manifest.files or {REVIEWS_NAME: manifest.fingerprint}
        changed = [name for name, sha256 in files.items() if _sha256(folder / name) != sha256]
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"There are no collected reviews in {folder} ({error}). Run `verdict data`.") from error
    if _combined(files) != manifest.fingerprint:
        changed.append(MANIFEST_NAME)
    if changed:
        raise DataError(f"{folder / changed[0]} was changed since it was collected. Run `verdict data`.")
    return manifest


def check_same_data(folder: Path, fingerprint: str) -> None:
    """Raise `DataError` if a folder no longer has the data that a step began with."""
    if read_manifest(folder).fingerprint != fingerprint:
        raise DataError(f"Other reviews were collected in {folder} while they were read. Run the command again.")


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(path: Path, start: int = 0, end: int | None = None) -> Iterator[Review]:
    """Yield the reviews of a file, or of its bytes from `start` to `end`, both at ends of lines."""
    yield from _read_lines(Review, path, start, end)


def read_unlabelled(path: Path, start: int = 0, end: int | None = None) -> Iterator[UnlabelledReview]:
    """Yield the unlabelled reviews of a file, or of its bytes from `start` to `end`, both at ends of lines."""
    yield from _read_lines(UnlabelledReview, path, start, end)


def read_short_texts(path: Path) -> Iterator[ShortText]:
    """Yield the short texts of a file."""
    yield from _read_lines(ShortText, path, 0, None)


def _read_lines(record: Callable[..., Any], path: Path, start: int, end: int | None) -> Iterator[Any]:
    """Yield the records of a file."""
    with path.open("rb") as file:
        file.seek(start)
        while end is None or file.tell() < end:
            line = file.readline()
            if not line:
                return
            yield record(**json.loads(line))


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
