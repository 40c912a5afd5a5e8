"""Step `data`: labelled reviews from any source -> one checked file, which the later steps read."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from training.data.archive import REVIEWS_PER_FOLDER, Contents, read_archive, read_folder
from training.data.columns import ColumnChoice
from training.data.download import download
from training.data.labelled import KNOWN_NAMES, NoteCallback, ignore_note, read_labelled
from training.data.reviews import LABEL_NAMES, DataError, Manifest, Review, write
from training.data.synthetic import files, write_archive
from training.progress import ProgressCallback, silent

OFFICIAL_URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
OFFICIAL_SIZE_BYTES = 84_125_825
DATA_FOLDER = Path("data")


def collect_official(
    folder: Path,
    fetch_tick: ProgressCallback = silent,
    read_tick: ProgressCallback = silent,
    url: str = OFFICIAL_URL,
    size_bytes: int = OFFICIAL_SIZE_BYTES,
) -> Manifest:
    """Download the official archive into a folder, if it isn't there yet, and collect its reviews.

    A damaged or incomplete archive is deleted, so the next call downloads it again.
    """
    archive = download(url, folder / url.rsplit("/", 1)[-1], size_bytes, fetch_tick)
    try:
        return collect(archive, folder, official=True, tick=read_tick)
    except DataError:
        archive.unlink()
        raise


def collect(
    source: Path,
    folder: Path,
    official: bool = False,
    tick: ProgressCallback = silent,
    choice: ColumnChoice = KNOWN_NAMES,
    note: NoteCallback = ignore_note,
) -> Manifest:
    """Read labelled reviews, check them, and write them into a folder; returns their manifest.

    `source` is an archive or a folder in the official layout, or a table (see `labelled`, also for `choice` and
    `note`). With `official`, raises `DataError` unless train and test have 12,500 reviews of each label.
    """
    contents = _read(source, tick, choice, note)
    _check_labels(source, contents.reviews)
    if official:
        _check_official(source, contents.reviews)
    return write(folder, contents.reviews, source.name, contents.unlabelled)


def _read(source: Path, tick: ProgressCallback, choice: ColumnChoice, note: NoteCallback) -> Contents:
    """Read a source with the reader that it needs."""
    if source.is_dir():
        return read_folder(source, tick)
    if source.suffix.lower() in (".gz", ".tgz"):
        return read_archive(source, tick)
    return Contents(list(read_labelled(source, tick, choice, note)))


def collect_generated(count: int, into: Path) -> Manifest:
    """Generate `count` reviews for each split and label, for rehearsals, and collect them."""
    with TemporaryDirectory() as folder:
        return collect(write_archive(Path(folder) / "generated.tar.gz", files(count)), into)


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
    rows += [("skipped: no text", f"{manifest.empty:,}"), ("fingerprint", manifest.fingerprint[:12])]
    return rows
