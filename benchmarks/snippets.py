"""Sentences of professional reviewers on another site, for evaluation only: nothing may be trained or chosen on them.

They are 10,605 sentences of Rotten Tomatoes, each rated from -4 to 4 by at least twenty people (Hutto & Gilbert,
"VADER", ICWSM 2014). The label is the sign of the mean rating; sentences with a mean of 0 are left out. They are in an
archive within the source distribution of the package vaderSentiment. Both archives are read in memory.
"""

import hashlib
import io
import re
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.data.reviews import DataError
from training.evaluation.predictions import Integers

SDIST = "vaderSentiment-3.3.2.tar.gz"
SHA256 = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
INNER_ARCHIVE = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
SNIPPETS = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"
LARGEST_BYTES = 10_000_000  # of the file and of each member that is read; the largest has 2.5 MB
DOWNLOAD_COMMAND = "pip download --no-deps --no-binary vaderSentiment vaderSentiment==3.3.2"

_DOWNLOAD_AGAIN = f"Remove it, and download it again with `{DOWNLOAD_COMMAND}`."
_LINE = re.compile(r"\d+\t(-?\d+(?:\.\d+)?)\t(.*\S.*)")  # id, mean rating, text


@dataclass(frozen=True)
class Snippets:
    """Sentences, their labels (1: positive), and the number of sentences left out because their mean rating is 0."""

    texts: list[str]
    labels: Integers
    undecided: int


def read(sdist: Path, sha256: str = SHA256) -> Snippets:
    """Read the snippets from the source distribution; raises `DataError` for another file."""
    return parse(_member(_member(_read_checked(sdist, sha256), INNER_ARCHIVE), SNIPPETS))


def _read_checked(sdist: Path, sha256: str) -> bytes:
    """Read a file; raises `DataError` unless it has this SHA-256."""
    if sdist.stat().st_size > LARGEST_BYTES:
        raise DataError(f"{sdist} has {sdist.stat().st_size:,} bytes, too many for {SDIST}. {_DOWNLOAD_AGAIN}")
    content = sdist.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise DataError(
            f"{sdist} is not {SDIST} as it was published: its SHA-256 begins with {found[:12]}, not with "
            f"{sha256[:12]}. {_DOWNLOAD_AGAIN}"
        )
    return content


def _member(archive: bytes, name: str) -> bytes:
    """Read a member of a .tar.gz; raises `DataError` unless it is a regular file that is not too large."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as members:
            member = members.getmember(name)
            file = members.extractfile(member) if member.isreg() and member.size <= LARGEST_BYTES else None
            if file is None:
                raise DataError(f"{name} is not a regular file of at most {LARGEST_BYTES:,} bytes. It was not used.")
            return file.read()
    except KeyError as error:
        raise DataError(f"The archive has no {name}.") from error
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise DataError(f"The archive with {name} is damaged or no .tar.gz ({error}).") from error


def parse(content: bytes) -> Snippets:
    """Parse the snippets' file, lines of `id<TAB>mean rating<TAB>text`.

    Raises `DataError` with the number of a malformed line.
    """
    rated: list[tuple[float, str]] = []
    for number, line in enumerate(content.removesuffix(b"\n").split(b"\n"), start=1):
        fields = _LINE.fullmatch(line.decode("utf-8", "replace").removesuffix("\r"))
        if not fields:
            raise DataError(f"Line {number} of {SNIPPETS} is not an id, a mean rating and a text.")
        rated.append((float(fields[1]), fields[2]))
    decided = [(rating, text) for rating, text in rated if rating]
    labels = np.array([rating > 0 for rating, _ in decided], dtype=np.int64)
    return Snippets([text for _, text in decided], labels, len(rated) - len(decided))


def summary(snippets: Snippets | None) -> str:
    """Describe the snippets that were used, or how to get them."""
    if snippets is None:
        return f"No sentences of another site: run `{DOWNLOAD_COMMAND}`, then add `--snippets {SDIST}`."
    return f"Another site: {len(snippets.texts):,} sentences; {snippets.undecided} left out, whose mean rating is 0."
