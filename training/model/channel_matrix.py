"""Channels as xgboost reads them: in memory, or from disk in pages if the channel is large.

A model that is trained on pages is the same but for the cuts of the n-gram columns, because xgboost summarizes their
values page by page. The parts of a channel that Spark wrote are read as one file.
"""

import re
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import xgboost
from scipy.sparse import csr_matrix

from training.features.channels import files_at

MEMORY_BYTES = 500_000_000  # of a channel: a larger one is read in pages
PAGE_BYTES = 64_000_000
_SEPARATORS = re.compile(rb"[:\n]")


def read_channel(
    channel: Path, threads: int, memory_bytes: int = MEMORY_BYTES, page_bytes: int = PAGE_BYTES
) -> xgboost.DMatrix:
    """Read a channel; one of more than `memory_bytes` in pages, whose files are deleted with the matrix."""
    files = files_at(channel)
    if sum(file.stat().st_size for file in files) > memory_bytes:
        return _read_pages(files, threads, page_bytes)
    with TemporaryDirectory() as folder:  # xgboost accepts no `;`, `?`, `#` or non-ASCII character in a path
        copy = Path(folder) / "channel.libsvm"
        with copy.open("wb") as joined:
            for path in files:
                with path.open("rb") as file:
                    shutil.copyfileobj(file, joined)
        return xgboost.DMatrix(f"{copy}?format=libsvm", nthread=threads)


def _read_pages(files: Sequence[Path], threads: int, page_bytes: int) -> xgboost.DMatrix:
    """Read a channel in pages, which xgboost keeps in a temporary folder."""
    folder = tempfile.mkdtemp()
    try:
        matrix = xgboost.DMatrix(_Pages(files, folder, page_bytes), nthread=threads)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(matrix, shutil.rmtree, folder, ignore_errors=True)
    return matrix


class _Pages(xgboost.DataIter):
    """The pages of a channel."""

    def __init__(self, files: Sequence[Path], folder: str, page_bytes: int) -> None:
        self._files, self._page_bytes = files, page_bytes
        self._pages = self._read()
        super().__init__(cache_prefix=str(Path(folder) / "pages"))

    def _read(self) -> Iterator[bytes]:
        """Yield whole lines of about one page."""
        for path in self._files:
            with path.open("rb") as file:
                yield from pages_of(file, self._page_bytes)

    def next(self, input_data: Callable[..., Any]) -> bool:
        """Pass the next page on; returns False after the last."""
        page = next(self._pages, None)
        if page is None:
            return False
        rows, labels = parse_libsvm(page)
        input_data(data=rows, label=labels)
        return True

    def reset(self) -> None:
        """Begin again with the first page."""
        self._pages = self._read()


def pages_of(file: IO[bytes], page_bytes: int = PAGE_BYTES) -> Iterator[bytes]:
    """Yield whole lines of about one page each."""
    while page := file.read(page_bytes):
        yield page + file.readline()


def parse_libsvm(lines: bytes) -> tuple[csr_matrix, npt.NDArray[np.float32]]:
    """Return the rows and the labels of libsvm lines: `1 0:1 17:1` has the label 1 and the columns 0 and 17."""
    entries = np.array([line.count(b":") for line in lines.splitlines()], np.int64)
    numbers = np.fromstring(_SEPARATORS.sub(b" ", lines).decode("ascii"), np.float64, sep=" ")
    starts = np.append(0, np.cumsum(entries))
    is_label = np.zeros(len(numbers), np.bool_)
    is_label[2 * starts[:-1] + np.arange(len(entries))] = True
    pairs = numbers[~is_label].reshape(-1, 2)
    columns = pairs[:, 0].astype(np.int32)
    shape = (len(entries), int(columns.max(initial=-1)) + 1)
    rows = csr_matrix((pairs[:, 1].astype(np.float32), columns, starts), shape=shape)
    return rows, numbers[is_label].astype(np.float32)
