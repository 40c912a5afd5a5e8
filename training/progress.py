"""Progress bars of long steps, and summary tables."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

_UNLIMITED = 10_000  # characters: wider than any table
ProgressCallback = Callable[[int, int, str], None]  # (done, total, a short description of the current state)


def silent(done: int, total: int, seen: str = "") -> None:
    """Report nothing: the `ProgressCallback` of callers without a progress bar."""


class _BarsBelow(Progress):
    """Progress bars below a live display."""

    above: Callable[[], RenderableType] | None = None

    def get_renderables(self) -> Iterator[RenderableType]:
        """Yield the current display above, then the bars."""
        if self.above:
            yield self.above()
        yield from super().get_renderables()


@contextmanager
def bars(
    console: Console, *names: str, above: Callable[[], RenderableType] | None = None
) -> Iterator[tuple[ProgressCallback, ...]]:
    """Show a progress bar for each name while the block runs; yields the `ProgressCallback` of each.

    `above` is called at each refresh, and its result is shown above the bars.
    """
    columns = (
        TextColumn("{task.description:<16}"),
        BarColumn(24),
        TimeElapsedColumn(),
        TextColumn("{task.fields[seen]}"),
    )
    progress = _BarsBelow(*columns, console=console)
    progress.above = above
    with progress:
        yield tuple(_tick(progress, progress.add_task(name, start=False, total=None, seen="")) for name in names)


def _tick(progress: Progress, task: TaskID) -> ProgressCallback:
    """Return the `ProgressCallback` of one bar; its clock starts at the first call."""

    def tick(done: int, total: int, seen: str = "") -> None:
        if not progress.tasks[task].started:
            progress.start_task(task)
        progress.update(task, completed=done, total=total, seen=seen)

    return tick


class FittingTable(Table):
    """A table that becomes a list, with a line for each cell, on a console too narrow for its columns.

    A narrow table would break words and numbers in the middle.
    """

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table if its longest words fit, else the list."""
        unlimited = options.update(width=_UNLIMITED)
        if console.measure(self, options=unlimited).minimum <= options.max_width:
            yield from super().__rich_console__(console, options)
            return
        yield from self._lines()

    def _lines(self) -> Iterator[Text]:
        """Yield the title, and for each row its first cell and a line `heading: value` for each other cell."""
        if self.title:
            yield Text(str(self.title), style="bold")
        for cells in zip(*([str(cell) for cell in column.cells] for column in self.columns), strict=True):
            yield Text.from_markup(cells[0] or "-", style="bold")
            for column, cell in list(zip(self.columns, cells, strict=True))[1:]:
                heading = f"{column.header}: " if self.show_header and str(column.header) else ""
                if cell:
                    yield Text("  ") + Text.from_markup(f"{heading}{cell}")
        if self.caption:
            yield Text(str(self.caption))


def table(title: str, rows: Iterable[tuple[object, ...]], headings: tuple[str, ...] = ()) -> Table:
    """Build a summary table: names in the first column, values aligned right in the others."""
    shown = FittingTable(title=title, title_justify="left", show_header=bool(headings), title_style="bold")
    content = [tuple(map(str, row)) for row in rows]
    for position in range(max(map(len, content), default=len(headings))):
        heading = headings[position] if position < len(headings) else ""
        shown.add_column(heading, justify="right" if position else "left", overflow="fold")
    for row in content:
        shown.add_row(*row)
    return shown
