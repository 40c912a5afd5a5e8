"""The benchmark of `make bench-scale` (`python -m benchmarks.scale`): what `prepare` takes by the number of reviews.

Each size is prepared in a fresh process: processor time with all worker processes, the largest memory of all of them
together (proportional set size, so shared pages count once), and the largest size of the temporary files. Linux only.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.made_up_reviews import write_reviews

SIZES = (25_000, 100_000, 400_000, 1_600_000)
UNLABELLED = 2  # for each labelled review, as in the official archive
MAX_CPU_MS, MAX_MEMORY_GB = 8, 4
_INTERVAL_SECONDS = 0.5
_PREPARE = (
    "import sys; from pathlib import Path; from training.features.prepare import prepare; "
    "prepare(Path(sys.argv[1]), Path(sys.argv[2]))"
)


class Figures(NamedTuple):
    """What preparing a number of reviews took; memory and disk are the largest."""

    reviews: int
    cpu_seconds: float
    wall_seconds: float
    memory_bytes: int
    disk_bytes: int

    def line(self) -> str:
        """Return the row of the table."""
        return (
            f"| {self.reviews:,} | {1000 * self.cpu_seconds / self.reviews:.1f} | {self.memory_bytes / 1e9:.2f} "
            f"| {self.wall_seconds:,.0f} | {self.disk_bytes / 1e6:,.0f} |"
        )


def measure(reviews: int, unlabelled: int, folder: Path) -> Figures:
    """Write made-up reviews, and prepare them in a new process."""
    write_reviews(folder / "data", reviews, unlabelled)
    before, started = _cpu_of_children(), time.monotonic()
    channels = folder / "channels"
    memory = disk = 0
    with subprocess.Popen([sys.executable, "-c", _PREPARE, str(folder / "data"), str(channels)]) as process:
        while process.poll() is None:
            memory = max(memory, sum(map(_proportional_bytes, _tree(process.pid))))
            disk = max(disk, _bytes_in(channels))
            time.sleep(_INTERVAL_SECONDS)
    if process.returncode:
        raise SystemExit(f"`prepare` ended with status {process.returncode}.")
    return Figures(reviews, _cpu_of_children() - before, time.monotonic() - started, memory, disk)


def _cpu_of_children() -> float:
    """Return the processor seconds of the child processes that ended, with theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _tree(process: int) -> Iterator[int]:
    """Yield a process and those that it started."""
    yield process
    try:
        children = [path.read_text() for path in Path(f"/proc/{process}/task").glob("*/children")]
    except OSError:  # it has just ended
        return
    for child in " ".join(children).split():
        yield from _tree(int(child))


def _proportional_bytes(process: int) -> int:
    """Return the proportional set size of a process; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _bytes_in(folder: Path) -> int:
    """Return the size of all files in a folder; files may go meanwhile."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except OSError:
            continue
    return total


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reviews", type=int, nargs="+", default=SIZES, help="numbers of labelled reviews")
    parser.add_argument("--unlabelled", type=int, default=UNLABELLED, help="unlabelled reviews for each labelled one")
    options = parser.parse_args()
    print("| labelled reviews | CPU, ms a review | memory, GB | wall, s | disk, MB |")
    print("|---:|---:|---:|---:|---:|")
    for reviews in options.reviews:
        with tempfile.TemporaryDirectory() as folder:
            print(measure(reviews, reviews * options.unlabelled, Path(folder)).line(), flush=True)


if __name__ == "__main__":
    main()
