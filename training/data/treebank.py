"""Reader of the Stanford Sentiment Treebank (Socher et al., EMNLP 2013): its zip file, or a folder with its files.

Each line of `train.txt`, `dev.txt` and `test.txt` is a sentence as a tree, `(3 (2 A) (4 (3 fine) (2 film)))`. Each
node, from a word to the whole sentence, has a label from 0, very negative, to 4, very positive. The texts are tokenised
(`is n't`, `-LRB-`), so they are joined again as people write them.
"""

import io
import itertools
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from training.data.reviews import DataError, ShortText

SOURCE = "treebank"
SPLITS = ("train", "dev", "test")
OFFICIAL_SENTENCES = {"train": 8_544, "dev": 1_101, "test": 2_210}
TARGETS = (0.05, 0.2, 0.5, 0.8, 0.95)  # label -> probability of positive
MAX_FILE_BYTES = 50_000_000  # the largest official file has 2.2 MB

_PART = re.compile(r"\((?P<label>[0-4]) |(?P<token>[^() ]+)|\) ?")
_WRITTEN = {
    "-LRB-": "(",
    "-RRB-": ")",
    "-LSB-": "[",
    "-RSB-": "]",
    "-LCB-": "{",
    "-RCB-": "}",
    "``": '"',
    "''": '"',
    "`": "'",
}
_JOINED_TO_NEXT = frozenset({"-LRB-", "-LSB-", "-LCB-", "``", "`", "$", "#"})
_JOINED_TO_WORD_BEFORE = frozenset({"-RRB-", "-RSB-", "-RCB-", "''", "'", "%", "n't", "N'T"})
_PUNCTUATION = re.compile(r"[.,:;?!]+|'(s|re|ve|ll|d|m)", re.IGNORECASE)
_TWO_TOKENS = frozenset({("can", "not"), ("gon", "na"), ("got", "ta"), ("wan", "na"), ("gim", "me"), ("lem", "me")})


class Node(NamedTuple):
    """A node of a tree: its label, and its tokens from `first` to before `end`."""

    label: int
    first: int
    end: int


def read_treebank(path: Path) -> Iterator[ShortText]:
    """Yield each sentence, and in train also its phrases; raises `DataError` that names an invalid file and line.

    `path` is `trainDevTestTrees_PTB.zip`, or a folder with the three files or with `trees/`. A text that several nodes
    of a sentence have is yielded once.
    """
    for split in SPLITS:
        with _open_split(path, f"{split}.txt") as lines:
            count = 0
            for number, line in enumerate(_decoded(path, f"{split}.txt", lines), start=1):
                if line.strip():
                    yield from _texts(line.strip(), split, count, f"{path.name}: {split}.txt, line {number}")
                    count += 1
            if not count:
                raise DataError(f"{path}: {split}.txt has no sentences.")


def check_official(path: Path, texts: Iterable[ShortText]) -> None:
    """Raise `DataError` unless there are as many sentences as in the official Treebank."""
    found = dict.fromkeys(SPLITS, 0)
    for each in texts:
        found[each.split] += each.whole
    if found != OFFICIAL_SENTENCES:
        expected, counted = (
            ", ".join(f"{split} {n:,}" for split, n in by.items()) for by in (OFFICIAL_SENTENCES, found)
        )
        raise DataError(f"{path} should have these sentences: {expected}. It has: {counted}.")


@contextmanager
def _open_split(path: Path, name: str) -> Iterator[IO[bytes]]:
    """Open a file of the Treebank; raises `DataError` if it is missing, damaged or unsafe."""
    try:
        if path.is_dir():
            with (path / ("trees" if (path / "trees").is_dir() else "") / name).open("rb") as file:
                yield file
        else:
            with zipfile.ZipFile(path) as archive:
                yield io.BytesIO(archive.read(_member(path, archive, name)))
    except (OSError, EOFError, RuntimeError, NotImplementedError, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path} is not the Treebank: a complete trainDevTestTrees_PTB.zip, or a folder with train.txt, dev.txt "
            f"and test.txt ({error})."
        ) from error


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """Return the member of a zip file with this name, at the top or in `trees/`."""
    for member in archive.infolist():
        parts = PurePosixPath(member.filename).parts
        if member.filename.startswith("/") or ".." in parts or "\\" in member.orig_filename:
            raise DataError(f"{path} is unsafe: {member.filename[:80]!r} is a path outside its folder.")
    found = [member for member in archive.infolist() if member.filename in (name, f"trees/{name}")]
    if len(found) != 1:
        raise DataError(f"{path} should have one {name}, but has {len(found)}.")
    if found[0].file_size > MAX_FILE_BYTES:
        raise DataError(f"{path}: {name} has {found[0].file_size:,} bytes, which is too large for the Treebank.")
    return found[0]


def _decoded(path: Path, name: str, lines: Iterable[bytes]) -> Iterator[str]:
    """Yield lines as text."""
    for number, line in enumerate(lines, start=1):
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(f"{path.name}: {name}, line {number} is not UTF-8: {error}.") from error


def _texts(line: str, split: str, group: int, where: str) -> Iterator[ShortText]:
    """Yield a sentence, and in train its phrases, each text once."""
    tokens, nodes = parse(line, where)
    pieces = _pieces(tokens)
    seen: set[str] = set()
    for label, first, end in nodes if split == "train" else nodes[:1]:
        text = "".join(pieces[first:end]).lstrip()
        if text not in seen:
            yield ShortText(SOURCE, split, group, TARGETS[label], not seen, text)
            seen.add(text)


def parse(line: str, where: str) -> tuple[list[str], list[Node]]:
    """Parse a tree into its tokens and its nodes, the whole sentence first; raises `DataError` at `where`."""
    tokens: list[str] = []
    nodes: list[Node] = []
    open_nodes: list[int] = []  # places in `nodes`
    position = 0
    while (match := _PART.match(line, position)) and (open_nodes or not position):
        position = match.end()
        if match["label"]:
            open_nodes.append(len(nodes))
            nodes.append(Node(int(match["label"]), len(tokens), 0))
        elif match["token"]:
            tokens.append(match["token"])
        elif open_nodes:
            place = open_nodes.pop()
            nodes[place] = nodes[place]._replace(end=len(tokens))
    if position < len(line) or open_nodes or not nodes or any(node.first == node.end for node in nodes):
        raise DataError(f"{where} is not a tree such as (3 (2 A) (4 (3 fine) (2 film))).")
    return tokens, nodes


def detokenise(tokens: Sequence[str]) -> str:
    """Join tokens as people write them: `is n't bad , -LRB- really -RRB-` -> `isn't bad, (really)`."""
    return "".join(_pieces(tokens)).lstrip()


def _pieces(tokens: Sequence[str]) -> list[str]:
    """Return each token as people write it, after a space unless it is joined to the token before."""
    pieces = []
    for before, token in itertools.pairwise(["", *tokens]):
        joined = (
            before in _JOINED_TO_NEXT
            or token in _JOINED_TO_WORD_BEFORE
            or _PUNCTUATION.fullmatch(token)
            or (before.lower(), token.lower()) in _TWO_TOKENS
        )
        written = _WRITTEN.get(token, token).replace("\\/", "/").replace("\\*", "*").replace("\xa0", " ")
        pieces.append(written if joined else f" {written}")
    return pieces
