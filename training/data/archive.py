"""Reader of the Large Movie Review Dataset (Maas et al., ACL 2011): its archive, or a folder in the same layout.

The layout is `aclImdb/{train,test}/{pos,neg}/<number>_<rating>.txt`, `aclImdb/train/unsup/<number>_0.txt`, and
`aclImdb/{train,test}/urls_{pos,neg,unsup}.txt`, UTF-8. Line i (from 0) of a `urls` file is the address of the movie
that review i is about. Unlabelled reviews and addresses are optional. The archive is streamed, never unpacked to disk,
and read to its end, where its checksum is. Other members (word counts, for example) are skipped.
"""

import gzip
import re
import sys
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Self

from training.data.reviews import FOLDERS, DataError, Review, UnlabelledReview
from training.progress import ProgressCallback, silent

REVIEWS_PER_FOLDER = 12_500  # in each of the four labelled folders of the official set
MAX_REVIEW_BYTES = 1_000_000  # the longest review of the official set has 14 kB
MAX_URLS_BYTES = 20_000_000  # the longest list of the official set has 2.5 MB
MAX_HEADER_BYTES = 65_536  # of one long name or set of attributes; the official archive has none
UNLABELLED = "unsup"
_TICK_EVERY = 500  # members

_LONG_HEADERS = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE)
_READ_MEMBER = re.compile(r"(?:.*/)?(train|test)/(?:(pos|neg|(?<=train/)unsup)/([^/]+)|urls_(pos|neg|unsup)\.txt)")
_REVIEW_NAME = re.compile(r"(\d{1,9})_(10|[0-9])\.txt")
_TITLE = re.compile(r"/title/(tt\d{1,12})\b")


@dataclass
class Contents:
    """The reviews of an archive or a folder."""

    reviews: list[Review] = field(default_factory=list)
    unlabelled: list[UnlabelledReview] = field(default_factory=list)


@dataclass
class _Collector:
    """Reviews read so far, and the movies of each (split, folder); the files come in any order."""

    contents: Contents = field(default_factory=Contents)
    movies: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def add(self, source: str, path: str, size: int, read: Callable[[], bytes]) -> None:
        """Read a file if it is a review or a list of addresses; `source` names it in errors."""
        match = _READ_MEMBER.fullmatch(path)
        if not match or (match[3] or "").startswith("."):
            return
        if size > (MAX_REVIEW_BYTES if match[3] else MAX_URLS_BYTES):
            kind = "a review" if match[3] else "a list of addresses"
            raise DataError(f"{source[:120]!r} has {size:,} bytes, which is too large for {kind}.")
        text = _decode(source, read())
        if match[3]:
            self._add_review(source, match[1], match[2], match[3], text)
        else:
            self.movies[match[1], match[4]] = [_movie(source, n, line) for n, line in enumerate(text.splitlines(), 1)]

    def _add_review(self, source: str, split: str, folder: str, name: str, text: str) -> None:
        """Add a review; raises `DataError` if its name has no number, or another rating than its folder."""
        match = _REVIEW_NAME.fullmatch(name)
        if not match or (match[2] == "0") != (folder == UNLABELLED):
            expected = "0" if folder == UNLABELLED else "rating 1-10"
            raise DataError(f"{source[:120]!r} should be named <number>_<{expected}>.txt.")
        if folder == UNLABELLED:
            self.contents.unlabelled.append(UnlabelledReview(int(match[1]), None, text))
        else:
            self.contents.reviews.append(Review(split, int(match[1]), FOLDERS.index(folder), int(match[2]), text))

    def finish(self) -> Contents:
        """Return the reviews with their movies; raises `DataError` if a list is shorter than its reviews."""
        for split in ("train", "test"):
            if len({(split, folder) in self.movies for folder in FOLDERS}) > 1:
                raise DataError(f"{split} has only one of urls_pos.txt and urls_neg.txt: both or none are needed.")
        return Contents(
            [
                replace(each, movie=self._movie_of(each.split, FOLDERS[each.label], each.number))
                for each in self.contents.reviews
            ],
            [
                replace(each, movie=self._movie_of("train", UNLABELLED, each.number))
                for each in self.contents.unlabelled
            ],
        )

    def _movie_of(self, split: str, folder: str, number: int) -> str | None:
        """Return a review's movie, if there is a list of them."""
        movies = self.movies.get((split, folder))
        if movies is None:
            return None
        if number >= len(movies):
            raise DataError(f"{split}/urls_{folder}.txt has {len(movies):,} lines, but there is a review {number}.")
        return movies[number]


class _BoundedMember(tarfile.TarInfo):
    """A member whose headers are of limited size: tarfile reads these into memory before it returns the member."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Parse one header; raises `DataError` if it announces a long header, or the map of a sparse file."""
        member = super().frombuf(buf, encoding, errors)
        if member.type == tarfile.GNUTYPE_SPARSE:
            raise DataError(f"The archive is unsafe: {member.name[:80]!r} is a sparse file.")
        if member.type in (*_LONG_HEADERS, tarfile.SOLARIS_XHDTYPE) and member.size > MAX_HEADER_BYTES:
            raise DataError(f"The archive is unsafe: a header has {member.size:,} bytes, {MAX_HEADER_BYTES:,} at most.")
        return member

    def _proc_gnusparse_10(self, *_: object) -> None:  # tarfile reads a map of any length here
        raise DataError(f"The archive is unsafe: {self.name[:80]!r} is a sparse file.")


def read_archive(path: Path, tick: ProgressCallback = silent) -> Contents:
    """Read the reviews of a .tar.gz; raises `DataError` if it is damaged or unsafe."""
    total = path.stat().st_size
    collector = _Collector()
    try:
        with path.open("rb") as raw, gzip.open(raw) as unzipped, _open(unzipped) as members:
            for count, member in enumerate(members):
                members.members = []  # type: ignore[attr-defined]  # tarfile keeps every member, without a limit
                if count % _TICK_EVERY == 0:
                    tick(raw.tell(), total, "")
                _read_member(collector, members, member)
            while unzipped.read(1 << 20):  # gzip verifies the checksum at the end of the file
                pass
        tick(total, total, "")
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise DataError(f"{path} is not a complete .tar.gz archive ({error}). Download it again.") from error
    return collector.finish()


def _open(unzipped: gzip.GzipFile) -> tarfile.TarFile:
    """Open a stream as an archive with limited headers."""
    return tarfile.open(fileobj=unzipped, mode="r|", tarinfo=_BoundedMember)


def _read_member(collector: _Collector, members: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    """Read one member of the archive; raises `DataError` if it is unsafe."""
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\\" in member.name:
        raise DataError(f"The archive is unsafe: {member.name[:80]!r} is a path outside its folder.")
    if member.isdir():
        return
    file = members.extractfile(member) if member.isreg() else None
    if file is None:
        raise DataError(f"The archive is unsafe: {member.name[:80]!r} is a link or a device.")
    collector.add(member.name, member.name, member.size, file.read)


def read_folder(folder: Path, tick: ProgressCallback = silent) -> Contents:
    """Read the reviews of a folder that holds `train/` and `test/`, or an `aclImdb/` with these."""
    root = folder / "aclImdb" if (folder / "aclImdb").is_dir() else folder
    collector = _Collector()
    paths = sorted(_files_of(root))
    for count, path in enumerate(paths):
        if count % _TICK_EVERY == 0:
            tick(count, len(paths), "")
        collector.add(str(path), path.relative_to(root).as_posix(), path.stat().st_size, path.read_bytes)
    return collector.finish()


def _files_of(root: Path) -> Iterator[Path]:
    """Yield the files of a folder that may be reviews or lists of addresses."""
    for split in ("train", "test"):
        for pattern in (*(f"{folder}/*" for folder in (*FOLDERS, UNLABELLED)), "urls_*.txt"):
            yield from (path for path in (root / split).glob(pattern) if path.is_file())


def _decode(source: str, content: bytes) -> str:
    """Decode a file; raises `DataError` that names it."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{source[:120]!r} is not UTF-8: {error}.") from error


def _movie(source: str, number: int, line: str) -> str:
    """Return the title id of an address; raises `DataError` that names the file and the line."""
    match = _TITLE.search(line)
    if not match:
        raise DataError(f"{source[:120]!r}, line {number} is not the address of a movie: {line[:80]!r}.")
    return sys.intern(match[1])
