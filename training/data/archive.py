"""Reads the Large Movie Review Dataset (Maas et al., ACL 2011) from its archive, or from a folder in its layout.

The layout is `aclImdb/{train,test}/{pos,neg}/<number>_<rating>.txt`, UTF-8. Nothing is unpacked to disk: members are
read as they stream by, the archive is read to its end so that its checksum is compared, and whatever else is in it
(unlabelled reviews, word counts, lists of addresses) is passed over.
"""

import gzip
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from training.data.reviews import FOLDERS, DataError, Review
from training.progress import ProgressCallback, silent

REVIEWS_A_FOLDER = 12_500  # in each of the official set's four folders
LONGEST_REVIEW_BYTES = 1_000_000  # the official set's longest is 14 kB
_TICK_EVERY = 500  # members

_REVIEW_FOLDER = re.compile(r"(?:.*/)?(train|test)/(pos|neg)/([^/]+)")
_REVIEW_NAME = re.compile(r"(\d{1,9})_(10|[1-9])\.txt")


def read_archive(path: Path, tick: ProgressCallback = silent) -> Iterator[Review]:
    """Yield the labelled reviews of a .tar.gz; raises `DataError` for one that is damaged or unsafe."""
    total = path.stat().st_size
    try:
        with path.open("rb") as raw, gzip.open(raw) as unzipped, tarfile.open(fileobj=unzipped, mode="r|") as members:
            for count, member in enumerate(members):
                if count % _TICK_EVERY == 0:
                    tick(raw.tell(), total, "")
                review = _read_member(members, member)
                if review:
                    yield review
            while unzipped.read(1 << 20):  # to the end: gzip compares its checksum there
                pass
        tick(total, total, "")
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise DataError(f"{path} is not a whole .tar.gz archive ({error}). Get it again.") from error


def _read_member(members: tarfile.TarFile, member: tarfile.TarInfo) -> Review | None:
    """Read one member of the archive; None for what is no labelled review."""
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\\" in member.name:
        raise DataError(f"The archive has a member outside its own folder: {member.name[:80]!r}. It was not used.")
    if member.isdir():
        return None
    file = members.extractfile(member) if member.isreg() else None
    if file is None:
        raise DataError(f"The archive has a link or device: {member.name[:80]!r}. It was not used.")
    place = _REVIEW_FOLDER.fullmatch(member.name)
    if not place or place[3].startswith("."):
        return None
    if member.size > LONGEST_REVIEW_BYTES:
        raise DataError(f"{member.name[:80]!r} has {member.size:,} bytes, which is no review.")
    return _parse(member.name, place[1], place[2], place[3], file.read())


def read_folder(folder: Path, tick: ProgressCallback = silent) -> Iterator[Review]:
    """Yield the labelled reviews of a folder that holds `train/` and `test/`, or `aclImdb/` with them."""
    root = folder / "aclImdb" if (folder / "aclImdb").is_dir() else folder
    paths = sorted(
        path for split in ("train", "test") for label in FOLDERS for path in (root / split / label).glob("*")
    )
    for count, path in enumerate(paths):
        if count % _TICK_EVERY == 0:
            tick(count, len(paths), "")
        if path.is_file() and not path.name.startswith("."):
            yield _parse(str(path), path.parent.parent.name, path.parent.name, path.name, path.read_bytes())


def _parse(where: str, split: str, folder: str, name: str, content: bytes) -> Review:
    """Make a review of a file's name and content; raises `DataError` that says where it is."""
    named = _REVIEW_NAME.fullmatch(name)
    if not named:
        raise DataError(f"{where[:120]!r} is not named <number>_<rating 1-10>.txt, as a review in this folder is.")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{where[:120]!r} is not UTF-8: {error}.") from error
    return Review(split, int(named[1]), FOLDERS.index(folder), int(named[2]), text)
