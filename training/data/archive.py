"""Reader of the Large Movie Review Dataset (Maas et al., ACL 2011): its archive, or a folder in the same layout.

The layout is `aclImdb/{train,test}/{pos,neg}/<number>_<rating>.txt`, UTF-8. The archive is
streamed, never unpacked to disk, and read to its end, where its checksum is. Other members (unlabelled reviews, word
counts, lists of addresses) are skipped.
"""

import gzip
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from training.data.reviews import FOLDERS, DataError, Review
from training.progress import ProgressCallback, silent

REVIEWS_PER_FOLDER = 12_500  # in each of the four folders of the official set
MAX_REVIEW_BYTES = 1_000_000  # the longest review of the official set has 14 kB
_TICK_EVERY = 500  # members

_REVIEW_FOLDER = re.compile(r"(?:.*/)?(train|test)/(pos|neg)/([^/]+)")
_REVIEW_NAME = re.compile(r"(\d{1,9})_(10|[1-9])\.txt")


def read_archive(path: Path, tick: ProgressCallback = silent) -> Iterator[Review]:
    """Yield the labelled reviews of a .tar.gz; raises `DataError` if it is damaged or unsafe."""
    total = path.stat().st_size
    try:
        with path.open("rb") as raw, gzip.open(raw) as unzipped, tarfile.open(fileobj=unzipped, mode="r|") as members:
            for count, member in enumerate(members):
                if count % _TICK_EVERY == 0:
                    tick(raw.tell(), total, "")
                review = _read_member(members, member)
                if review:
                    yield review
            while unzipped.read(1 << 20):  # gzip verifies the checksum at the end of the file
                pass
        tick(total, total, "")
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise DataError(f"{path} is not a complete .tar.gz archive ({error}). Download it again.") from error


def _read_member(members: tarfile.TarFile, member: tarfile.TarInfo) -> Review | None:
    """Read one member of the archive; returns None if it is not a labelled review."""
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\\" in member.name:
        raise DataError(f"The archive is unsafe: {member.name[:80]!r} is a path outside its folder.")
    if member.isdir():
        return None
    file = members.extractfile(member) if member.isreg() else None
    if file is None:
        raise DataError(f"The archive is unsafe: {member.name[:80]!r} is a link or a device.")
    parts = _REVIEW_FOLDER.fullmatch(member.name)
    if not parts or parts[3].startswith("."):
        return None
    if member.size > MAX_REVIEW_BYTES:
        raise DataError(f"{member.name[:80]!r} has {member.size:,} bytes, which is too large for a review.")
    return _parse(member.name, parts[1], parts[2], parts[3], file.read())


def read_folder(folder: Path, tick: ProgressCallback = silent) -> Iterator[Review]:
    """Yield the labelled reviews of a folder that holds `train/` and `test/`, or an `aclImdb/` with these."""
    root = folder / "aclImdb" if (folder / "aclImdb").is_dir() else folder
    paths = sorted(
        path for split in ("train", "test") for label in FOLDERS for path in (root / split / label).glob("*")
    )
    for count, path in enumerate(paths):
        if count % _TICK_EVERY == 0:
            tick(count, len(paths), "")
        if path.is_file() and not path.name.startswith("."):
            yield _parse(str(path), path.parent.parent.name, path.parent.name, path.name, path.read_bytes())


def _parse(source: str, split: str, folder: str, name: str, content: bytes) -> Review:
    """Build a review from a file's name and content; raises `DataError` that names the file."""
    match = _REVIEW_NAME.fullmatch(name)
    if not match:
        raise DataError(f"{source[:120]!r} should be named <number>_<rating 1-10>.txt.")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{source[:120]!r} is not UTF-8: {error}.") from error
    return Review(split, int(match[1]), FOLDERS.index(folder), int(match[2]), text)
