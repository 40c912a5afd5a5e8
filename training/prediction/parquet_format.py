"""Judged rows as Parquet, which a stopped command resumes.

Parquet has its index at the end, so an unfinished file cannot be continued. Rows are therefore collected as an Arrow
IPC stream, to which batches can be appended; the end converts it to Parquet, one row group at a time.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.data.reviews import DataError
from training.prediction.judge import EXPLAINED, JudgedRow
from training.prediction.review_files import ReviewFile, import_pyarrow

GROUP_ROWS = 20_000  # in a row group, of which one is in memory


@dataclass(frozen=True)
class ParquetFormat:
    """How judged rows are written: the Arrow schema of all columns, and the names of the added ones without prefix."""

    schema: Any
    added: tuple[str, ...]
    prefix: str = ""

    @property
    def header(self) -> bytes:
        """The schema, with which an Arrow IPC stream begins."""
        return bytes(self.schema.serialize())

    def encode(self, judged: Sequence[JudgedRow]) -> bytes:
        """Return judged rows as a batch of a stream; raises `DataError` if a cell does not fit its column."""
        pyarrow, _ = import_pyarrow()
        if not judged:
            return b""
        rows = [[*each.row.cells, *self._added_cells(each)] for each in judged]
        try:
            columns = [
                pyarrow.array(cells, type=field.type)
                for cells, field in zip(zip(*rows, strict=True), self.schema, strict=True)
            ]
        except (pyarrow.ArrowException, UnicodeEncodeError, TypeError) as error:
            raise DataError(f"The rows cannot be written as Parquet: {error}. Write .csv or .jsonl instead.") from error
        return bytes(pyarrow.record_batch(columns, schema=self.schema).serialize())

    def _added_cells(self, judged: JudgedRow) -> Iterator[Any]:
        """Yield the values of the added columns; explanations are JSON."""
        values = judged.added(EXPLAINED[0] in self.added)
        for name in self.added:
            is_json = name in EXPLAINED and values[name] is not None
            yield json.dumps(values[name]) if is_json else values[name]

    def finish(self, part: Path, path: Path) -> None:
        """Convert a complete stream to a Parquet file, and remove the stream."""
        pyarrow, parquet = import_pyarrow()
        converted = path.with_name(f".{path.name}.new")
        with part.open("rb") as source, parquet.ParquetWriter(converted, self.schema) as writer:
            for group in _grouped(pyarrow.ipc.open_stream(source)):
                writer.write_table(pyarrow.Table.from_batches(group), row_group_size=GROUP_ROWS)
        converted.rename(path)
        part.unlink()


def _grouped(batches: Iterator[Any]) -> Iterator[list[Any]]:
    """Collect batches into row groups of `GROUP_ROWS` or a little fewer; a larger batch is a group of its own."""
    group: list[Any] = []
    for batch in batches:
        if group and sum(each.num_rows for each in group) + batch.num_rows > GROUP_ROWS:
            yield group
            group = []
        group.append(batch)
    if group:
        yield group


def parquet_format(files: Sequence[ReviewFile], added: tuple[str, ...], prefix: str) -> ParquetFormat:
    """Return the format for files with the same columns; those of Parquet files keep their types, others are text.

    Raises `DataError` if the types differ, or two columns have one name.
    """
    pyarrow, _ = import_pyarrow()
    if any(each.schema != files[0].schema for each in files):
        raise DataError("The columns of the files have different types. Judge them one by one.")
    kept = files[0].schema or pyarrow.schema([(name, pyarrow.string()) for name in files[0].names])
    if repeated := [name for name in kept.names if kept.names.count(name) > 1]:
        raise DataError(f"{files[0].path.name} has two columns named {repeated[0]}, which Parquet cannot hold.")
    types = {"score": pyarrow.float64(), "known_words": pyarrow.float64(), "warnings": pyarrow.list_(pyarrow.string())}
    new = [pyarrow.field(prefix + name, types.get(name, pyarrow.string())) for name in added]
    return ParquetFormat(pyarrow.schema([*map(_plain, kept), *new]), added, prefix)


def _plain(field: Any) -> Any:
    """Return a field without dictionary encoding, which belongs to a file and not to a batch, and without metadata."""
    pyarrow, _ = import_pyarrow()
    kind = field.type.value_type if pyarrow.types.is_dictionary(field.type) else field.type
    return pyarrow.field(field.name, kind, nullable=True)
