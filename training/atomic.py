"""Atomic file writes: a file is written under a temporary name, then renamed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from training import locks


@contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file to write; it replaces the file at `path` only if the block ends without an error.

    The temporary name is fixed, so the next write overwrites the remains of a killed process. Raises `InUseError` if
    another program is writing the same file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with open_alone(path, part) as file:
        try:
            file.truncate(0)
            yield file
            file.flush()
            if os.name == "nt":  # Windows does not rename an open file
                file.close()
            os.replace(part, path)  # noqa: PTH105  (atomic on every system)
        except BaseException:
            if os.name == "nt":
                file.close()
            part.unlink(missing_ok=True)
            raise


def open_alone(path: Path, part: Path) -> IO[bytes]:
    """Open the temporary file of `path` for one writer, created if necessary; raises `InUseError` for the second."""
    while True:
        file = os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666), "r+b")
        if not locks.lock(file.fileno()):
            file.close()
            raise locks.InUseError(f"Another command is writing {path}. Wait until it ends.")
        if locks.is_at(file.fileno(), part):  # otherwise another writer has just renamed it
            return file
        file.close()


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes to a file."""
    with writing(path) as file:
        file.write(content)


def write_text(path: Path, content: str) -> None:
    """Write text to a file, as UTF-8."""
    write_bytes(path, content.encode())


def check_writable(folder: Path) -> None:
    """Write a file into a folder and delete it again; raises `OSError` if the folder cannot be written.

    For commands that write after hours of billed work: a full disk or a read-only folder must stop them before it.
    """
    existed, probe = folder.exists(), folder / ".writable"
    write_bytes(probe, b"\n")
    probe.unlink()
    if not existed:
        folder.rmdir()
