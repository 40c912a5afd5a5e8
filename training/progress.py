"""Progress bars of long steps, and summary tables."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

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


def table(title: str, rows: Iterable[tuple[object, ...]], headings: tuple[str, ...] = ()) -> Table:
    """Build a summary table: names in the first column, values aligned right in the others."""
    shown = Table(title=title, title_justify="left", show_header=bool(headings), title_style="bold")
    content = [tuple(map(str, row)) for row in rows]
    for position in range(max(map(len, content), default=len(headings))):
        heading = headings[position] if position < len(headings) else ""
        shown.add_column(heading, justify="right" if position else "left", overflow="fold")
    for row in content:
        shown.add_row(*row)
    return shown
