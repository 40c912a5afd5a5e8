"""The `predict` step: files of unlabelled reviews in, the same rows with verdicts out, in constant memory.

Where the model runs is a `ChunkScorer`: here, in the worker processes; or on SageMaker, which `operations` provides.
"""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from chalicelib.sentiment import Verdict
from training.parallel import map_stream
from training.prediction.judge import EncodedChunk, Judge, JudgedRow, encode, judge_here, verdicts
from training.prediction.review_files import ReviewFile, Row
from training.progress import ProgressCallback, silent

CHUNK_ROWS = 500  # judged at once by a worker
CHUNK_CHARACTERS = 10_000_000  # of reviews; the longest rows are judged in smaller chunks
EXPLAINED_CHUNK_ROWS = 50  # an explained review has about 100 libsvm rows

ChunkScorer = Callable[[Iterable[EncodedChunk]], Iterator[tuple[EncodedChunk, Sequence[float]]]]
Write = Callable[[Sequence[JudgedRow]], None]


@dataclass
class Summary:
    """The number of rows by verdict, and of rows with an error instead."""

    verdicts: Counter[str] = field(default_factory=Counter)
    errors: int = 0

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.verdicts.total() + self.errors

    def add(self, judged: Sequence[JudgedRow]) -> None:
        """Count some rows."""
        labels = [each.outcome.label for each in judged if isinstance(each.outcome, Verdict)]
        self.verdicts.update(labels)
        self.errors += len(judged) - len(labels)


@dataclass
class _Progress:
    """The progress of reading files, as bytes of all, with the rate and the time left."""

    total: int
    tick: ProgressCallback
    before: int = 0  # bytes of the files that are read
    now: int = 0  # bytes of the present file
    started: float = field(default_factory=time.monotonic)

    def position(self, position: int) -> None:
        """Take the number of bytes of the present file that are read."""
        self.now = position

    def report(self, rows: int) -> None:
        """Report a number of judged rows."""
        done, seconds = self.before + self.now, max(time.monotonic() - self.started, 1e-3)
        left = timedelta(seconds=round(seconds * (self.total - done) / done)) if done else "?"
        self.tick(done, self.total, f"{rows:,} rows, {rows / seconds:,.0f}/s, {left} left")


def predict(
    files: Sequence[ReviewFile],
    judge: Judge,
    write: Write,
    skip: int = 0,
    tick: ProgressCallback = silent,
    score: ChunkScorer | None = None,
    processes: int | None = None,
    score_skipped: bool = False,
) -> Summary:
    """Judge the rows of files in order, and call `write` with the judged rows of each chunk.

    The first `skip` rows are left out. Without `score`, the judge's own model scores them in the worker processes.
    With `score_skipped`, `score` gets the skipped rows too, if others follow: a batch transform job is found again only
    by all its rows.
    """
    progress = _Progress(max(sum(file.size for file in files), 1), tick)
    skipped = skip if score_skipped and _has_more(files, skip) else 0  # among the judged rows
    rows = itertools.islice(_all_rows(files, progress), skip - skipped, None)
    chunks = _chunked(rows, EXPLAINED_CHUNK_ROWS if judge.explain else CHUNK_ROWS)
    summary = Summary()
    for judged in _judged(chunks, judge, score, processes):
        new, skipped = judged[skipped:], max(skipped - len(judged), 0)
        if new:
            write(new)
        summary.add(new)
        progress.report(summary.rows)
    return summary


def _has_more(files: Sequence[ReviewFile], rows: int) -> bool:
    """Return whether files have more than a number of rows."""
    all_rows = _all_rows(files, _Progress(1, silent))
    return next(itertools.islice(all_rows, rows, None), None) is not None


def _all_rows(files: Sequence[ReviewFile], progress: _Progress) -> Iterator[Row]:
    """Yield the rows of all files."""
    for file in files:
        yield from file.rows(progress.position)
        progress.before, progress.now = progress.before + file.size, 0


def _chunked(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    """Divide rows into chunks of at most this size, smaller ones if their reviews are very long."""
    chunk: list[Row] = []
    characters = 0
    for row in rows:
        chunk.append(row)
        characters += len(row.review) if isinstance(row.review, str) else 0
        if len(chunk) == size or characters >= CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _judged(
    chunks: Iterator[list[Row]], judge: Judge, score: ChunkScorer | None, processes: int | None
) -> Iterator[list[JudgedRow]]:
    """Yield the judged rows of each chunk."""
    if score is None:
        yield from map_stream(judge_here, chunks, judge, processes)
        return
    for chunk, scores in score(map_stream(encode, chunks, judge, processes)):
        yield list(verdicts(chunk, iter(scores), judge.release))


def predict_text(text: str, judge: Judge) -> JudgedRow:
    """Judge one text."""
    return judge.judge([Row((text,), text)])[0]
