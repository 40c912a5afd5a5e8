"""Step `data`: reviews and short texts from any source -> checked files, which the later steps read."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from training import locks
from training.data.archive import REVIEWS_PER_FOLDER, Contents, read_archive, read_folder
from training.data.columns import ColumnChoice
from training.data.content import format_ending
from training.data.download import download
from training.data.labelled import KNOWN_NAMES, NoteCallback, ignore_note, read_labelled
from training.data.reviews import LABEL_NAMES, DataError, Manifest, Review, ShortText, write
from training.data.synthetic import DRIFTED, USUAL, files, write_archive
from training.data.tables import KINDS
from training.data.treebank import TARGETS, check_official, read_treebank
from training.progress import ProgressCallback, silent

OFFICIAL_URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
OFFICIAL_SIZE_BYTES = 84_125_825
OFFICIAL_SHA256 = "36565b8745ba9f35f5bc82463fc93fb620236a9df226103582d9b913c9f5555a"
TREEBANK_URL = "https://nlp.stanford.edu/sentiment/trainDevTestTrees_PTB.zip"
DATA_FOLDER = Path("data")
LABELLED_TARGETS = (TARGETS[0], TARGETS[-1])  # label of a labelled short text -> probability of positive


@dataclass(frozen=True)
class Additions:
    """What is collected with the first source, and how tables are read.

    `treebank` is a zip file or a folder. `labelled` are tables: they continue the first source if that is a table too,
    and are short texts beside an archive. `note` gets sentences about their columns and labels.
    """

    treebank: Path | None = None
    labelled: Sequence[Path] = ()
    choice: ColumnChoice = KNOWN_NAMES
    note: NoteCallback = ignore_note


NO_ADDITIONS = Additions()


def collect_official(
    folder: Path,
    fetch_tick: ProgressCallback = silent,
    read_tick: ProgressCallback = silent,
    url: str = OFFICIAL_URL,
    size_bytes: int = OFFICIAL_SIZE_BYTES,
    treebank_url: str | None = TREEBANK_URL,
    additions: Additions = NO_ADDITIONS,
) -> Manifest:
    """Download the official archive and, unless `treebank_url` is None, the Treebank, and collect them.

    A file that is there already is not downloaded. A damaged or incomplete one is deleted, so the next call downloads
    it again. Raises `InUseError` if another command is using the folder.
    """
    with locks.writing(folder):
        archive = download(url, folder / url.rsplit("/", 1)[-1], size_bytes, fetch_tick)
        if url == OFFICIAL_URL:
            with _deleted_if_damaged(archive):
                _check_sha256(archive)
        if treebank_url:
            path = folder / treebank_url.rsplit("/", 1)[-1]
            treebank = download(treebank_url, path, None, fetch_tick, option="--no-treebank, or --treebank")
            with _deleted_if_damaged(treebank):
                check_official(treebank, read_treebank(treebank))
            additions = replace(additions, treebank=treebank)
        short_texts = _short_texts(additions, additions.labelled)
        with _deleted_if_damaged(archive):
            contents = _read(archive, read_tick, additions)
            _check_official(archive, contents.reviews)
        return _write(folder, archive, contents, short_texts, additions)


def _check_sha256(archive: Path) -> None:
    """Raise `DataError` unless a file is the official archive."""
    with archive.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if sha256 != OFFICIAL_SHA256:
        raise DataError(
            f"{archive} is not the official archive: its SHA-256 begins with {sha256[:12]}, "
            f"not {OFFICIAL_SHA256[:12]}. It was deleted. Run the command again to download it."
        )


@contextmanager
def _deleted_if_damaged(path: Path) -> Iterator[None]:
    """Delete a downloaded file if reading it raises `DataError`."""
    try:
        yield
    except DataError:
        path.unlink()
        raise


def collect(
    source: Path,
    folder: Path,
    official: bool = False,
    tick: ProgressCallback = silent,
    additions: Additions = NO_ADDITIONS,
) -> Manifest:
    """Read labelled reviews and what is added to them, check them, and write them into a folder.

    `source` is an archive or a folder in the official layout, or a table (see `labelled`). With `official`, raises
    `DataError` unless train and test have 12,500 reviews of each label, and `InUseError` if another
    command is using the folder. Returns the manifest.
    """
    with locks.writing(folder):
        short_texts = _short_texts(additions, () if _is_table(source) else additions.labelled)
        contents = _read(source, tick, additions)
        _check_labels(source, contents.reviews)
        if official:
            _check_official(source, contents.reviews)
        return _write(folder, source, contents, short_texts, additions)


def _write(
    folder: Path, source: Path, contents: Contents, short_texts: list[ShortText], additions: Additions
) -> Manifest:
    """Write what was read; the manifest names all sources."""
    sources = [source, *additions.labelled, *([additions.treebank] if additions.treebank else [])]
    names = ", ".join(path.resolve().name for path in sources)
    return write(folder, contents.reviews, names, contents.unlabelled, short_texts)


def _is_table(source: Path) -> bool:
    """Return whether a source is a table, not an archive or a folder."""
    is_archive = source.suffix.lower() in (".gz", ".tgz") and format_ending(source) not in KINDS
    return not source.is_dir() and not is_archive


def _read(source: Path, tick: ProgressCallback, additions: Additions) -> Contents:
    """Read a source with the reader that it needs."""
    if source.is_dir():
        return read_folder(source, tick)
    if not _is_table(source):
        return read_archive(source, tick)
    reviews: list[Review] = []
    for path in (source, *additions.labelled):
        first = reviews[-1].number + 1 if reviews else 0
        rows = read_labelled(path, tick, additions.choice, additions.note)
        reviews += [replace(row, number=first + row.number) for row in rows]
    return Contents(reviews)


def _short_texts(additions: Additions, labelled: Sequence[Path]) -> list[ShortText]:
    """Read the Treebank, and tables as short texts of train."""
    texts = list(read_treebank(additions.treebank)) if additions.treebank else []
    for path in labelled:
        if any(each.source == path.name for each in texts):
            raise DataError(f"Two labelled files have the name {path.name}. Rename one: each is a source of its own.")
        rows = read_labelled(path, silent, additions.choice, additions.note)
        texts += [
            ShortText(path.name, "train", row.number, LABELLED_TARGETS[row.label], True, row.text) for row in rows
        ]
    return texts


def collect_generated(count: int, into: Path, additions: Additions = NO_ADDITIONS, drifted: bool = False) -> Manifest:
    """Generate 2 `count` reviews for each split, for rehearsals, and collect them."""
    with TemporaryDirectory() as folder:
        archive = write_archive(Path(folder) / "generated.tar.gz", files(count, DRIFTED if drifted else USUAL))
        return collect(archive, into, additions=additions)


def _count(reviews: Iterable[Review]) -> Counter[tuple[str, int]]:
    """Count reviews by split and label."""
    return Counter((review.split, review.label) for review in reviews)


def _check_labels(source: Path, reviews: list[Review]) -> None:
    """Raise `DataError` if a split lacks a label, as in half a data set."""
    counts = _count(reviews)
    for split in {"train", *(split for split, _ in counts)}:
        for label, name in enumerate(LABEL_NAMES):
            if not counts[split, label]:
                raise DataError(f"{source} has no {name} reviews for {split}.")


def _check_official(source: Path, reviews: list[Review]) -> None:
    """Raise `DataError` unless the reviews are as many as in the official set."""
    expected = {(split, label): REVIEWS_PER_FOLDER for split in ("train", "test") for label in (0, 1)}
    if _count(reviews) != expected:
        found = ", ".join(
            f"{split} {LABEL_NAMES[label]} {n:,}" for (split, label), n in sorted(_count(reviews).items())
        )
        raise DataError(
            f"{source} should have {REVIEWS_PER_FOLDER:,} reviews in each of four folders, but has {found}."
        )


def summary_rows(manifest: Manifest) -> list[tuple[object, ...]]:
    """Return the rows of the summary table."""
    rows: list[tuple[object, ...]] = [
        (f"{split}, {label}", f"{count:,}") for split, by in manifest.counts.items() for label, count in by.items()
    ]
    rows += [(f"repeated texts within {split}", f"{count:,}") for split, count in manifest.repeated.items()]
    if "test" in manifest.counts:
        rows.append(("test reviews that are also in train", f"{manifest.shared:,}"))
    rows += [(f"movies of {split}", f"{count:,}") for split, count in manifest.movies.items()]
    if manifest.unlabelled:
        rows.append(("unlabelled reviews", f"{manifest.unlabelled:,}"))
    rows += [
        (f"{source}, {split}: {kind}", f"{count:,}")
        for source, by_split in manifest.short_texts.items()
        for split, by_kind in by_split.items()
        for kind, count in by_kind.items()
        if count
    ]
    if manifest.overlapping:
        rows.append(("left out: also a review, or held-out text", f"{manifest.overlapping:,}"))
    rows += [("skipped: no text", f"{manifest.empty:,}"), ("fingerprint", manifest.fingerprint[:12])]
    return rows
