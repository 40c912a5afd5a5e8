"""Advisory locks on files and folders: the second command that needs one is refused at once, with a clear message.

A lock belongs to an open file, so it ends with its process, however that ends, and leaves no file behind. Windows and
some network file systems have no such locks; nothing is refused there.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from chalicelib.errors import SentimentError

try:
    import fcntl
except ModuleNotFoundError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

_exclusive: ContextVar[frozenset[Path]] = ContextVar("folders that this thread has locked", default=frozenset())


class InUseError(SentimentError):
    """Another command is using a file or a folder."""

    type = "in-use"
    title = "Another command is using these files"


def lock(descriptor: int, shared: bool = False) -> bool:
    """Lock an open file or folder until it is closed; returns False if another program has locked it."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def is_at(descriptor: int, path: Path) -> bool:
    """Return whether an open file or folder still has this path: another program may have removed or renamed it."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Lock a folder that a command writes, and create it; raises `InUseError` if another command reads or writes it.

    A folder that this thread has locked already stays locked: a step may be a part of another step.
    """
    if folder.resolve() in _exclusive.get():
        yield
        return
    existed = folder.exists()
    descriptor = _open_locked(folder)
    token = _exclusive.set(_exclusive.get() | {folder.resolve()})
    try:
        yield
    finally:
        _exclusive.reset(token)
        if not existed:
            with suppress(OSError):  # it has files
                folder.rmdir()
        _close(descriptor)


@contextmanager
def reading(*folders: Path) -> Iterator[None]:
    """Lock folders that a command reads, beside other readers; raises `InUseError` if another command writes one."""
    with ExitStack() as stack:
        for folder in folders:
            if folder.is_dir() and folder.resolve() not in _exclusive.get():
                stack.callback(_close, _open_locked(folder, shared=True))
        yield


def _open_locked(folder: Path, shared: bool = False) -> int | None:
    """Open and lock a folder, created if necessary; returns its descriptor, None where there are no locks."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        if fcntl is None:
            return None
        descriptor = os.open(folder, os.O_RDONLY)
        if not lock(descriptor, shared):
            os.close(descriptor)
            use = "writing" if shared else "reading or writing"
            raise InUseError(f"Another command is {use} {folder}. Wait until it ends, or use another folder.")
        if is_at(descriptor, folder):
            return descriptor
        os.close(descriptor)


def _close(descriptor: int | None) -> None:
    """Close a folder, which unlocks it."""
    if descriptor is not None:
        os.close(descriptor)
