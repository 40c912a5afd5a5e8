"""Professional reviewers' sentences of another site, for judging only: nothing may be trained or chosen on them.

They are 10,605 sentences of Rotten Tomatoes, each rated from -4 to 4 by twenty people or more (Hutto & Gilbert,
"VADER", ICWSM 2014). The label is the sign of the mean rating; sentences whose mean is 0 have none and are left out.
The source distribution of the package vaderSentiment carries them in an archive of its own. Both archives are read in
memory, and nothing is unpacked to disk.
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
INNER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
SNIPPETS = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"
LARGEST_BYTES = 10_000_000  # of the file and of what is read from it; the largest has 2.5 MB
TO_GET_IT = "pip download --no-deps --no-binary vaderSentiment vaderSentiment==3.3.2"

_AGAIN = f"Remove it; `{TO_GET_IT}` gets the right one."
_LINE = re.compile(r"\d+\t(-?\d+(?:\.\d+)?)\t(.*\S.*)")  # id, mean rating, text


@dataclass(frozen=True)
class Snippets:
    """Sentences and their labels (1: positive), and how many were left out because their mean rating is 0."""

    texts: list[str]
    labels: Integers
    undecided: int


def read(sdist: Path, sha256: str = SHA256) -> Snippets:
    """Read the snippets from the source distribution; raises `DataError` unless it is the very file that is meant."""
    return parse(_member(_member(_checked(sdist, sha256), INNER), SNIPPETS))


def _checked(sdist: Path, sha256: str) -> bytes:
    """Read a file that must have this SHA-256."""
    if sdist.stat().st_size > LARGEST_BYTES:
        raise DataError(f"{sdist} has {sdist.stat().st_size:,} bytes, too many for {SDIST}. {_AGAIN}")
    content = sdist.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise DataError(
            f"{sdist} is not {SDIST} as it was published: its SHA-256 begins with {found[:12]}, not with "
            f"{sha256[:12]}. {_AGAIN}"
        )
    return content


def _member(archive: bytes, name: str) -> bytes:
    """Read one file of a .tar.gz, which must be a plain one and not too large."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as members:
            member = members.getmember(name)
            file = members.extractfile(member) if member.isreg() and member.size <= LARGEST_BYTES else None
            if file is None:
                raise DataError(f"{name} is no plain file of at most {LARGEST_BYTES:,} bytes. It was not used.")
            return file.read()
    except KeyError as error:
        raise DataError(f"The archive has no {name}.") from error
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise DataError(f"The archive with {name} is not a whole .tar.gz ({error}).") from error


def parse(content: bytes) -> Snippets:
    """Read the lines of the snippets' file, `id<TAB>mean rating<TAB>text`; raises `DataError` naming a wrong one."""
    rated: list[tuple[float, str]] = []
    for number, line in enumerate(content.removesuffix(b"\n").split(b"\n"), start=1):
        fields = _LINE.fullmatch(line.decode("utf-8", "replace").removesuffix("\r"))
        if not fields:
            raise DataError(f"Line {number} of {SNIPPETS} is not an id, a mean rating and a text.")
        rated.append((float(fields[1]), fields[2]))
    decided = [(rating, text) for rating, text in rated if rating]
    labels = np.array([rating > 0 for rating, _ in decided], dtype=np.int64)
    return Snippets([text for _, text in decided], labels, len(rated) - len(decided))


def told(asked: Snippets | None) -> str:
    """Say what figures on snippets rest on, or how to get them."""
    if asked is None:
        return f"Another site's sentences were not asked: run `{TO_GET_IT}`, then add `--snippets {SDIST}`."
    return f"Another site: {len(asked.texts):,} sentences; {asked.undecided} left out, whose mean rating is 0."
