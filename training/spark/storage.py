"""Folders that Spark reads and writes: on this machine, or on any Hadoop path such as `s3://bucket/folder`.

Both go through Hadoop's file systems, so what local tests cover is what runs on a cluster.
"""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.data.reviews import MANIFEST_NAME, DataError, Manifest, read_manifest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+://|file:", re.IGNORECASE)


def is_remote(location: str) -> bool:
    """Return whether a location is a Hadoop path, rather than a path on this machine."""
    return bool(_SCHEME.match(location))


class Folder:
    """A folder that may not exist yet."""

    def __init__(self, session: "SparkSession", location: str) -> None:
        self.location = location
        self.local = None if is_remote(location) else Path(location)
        self.uri = self.local.resolve().as_uri() if self.local else location.rstrip("/")
        context = session.sparkContext
        self._hadoop = context._jvm.org.apache.hadoop
        self._files = self._path("").getFileSystem(context._jsc.hadoopConfiguration())
        self._files.setWriteChecksum(False)  # no .crc files beside the parts of a channel

    def _path(self, name: str) -> Any:
        """Return Hadoop's path of a file or folder."""
        return self._hadoop.fs.Path(self.uri_of(name))

    def uri_of(self, name: str) -> str:
        """Return the URI of a file or folder in this folder."""
        return f"{self.uri}/{name}" if name else self.uri

    def exists(self, name: str = "") -> bool:
        """Return whether there is a file or folder of this name."""
        return bool(self._files.exists(self._path(name)))

    def names(self) -> list[str]:
        """Return the files in this folder, without hidden ones; of a file, its own name. Raises `DataError`."""
        if not self.exists():
            raise DataError(f"{self.location} does not exist.")
        found = [status.getPath().getName() for status in self._files.listStatus(self._path("")) if status.isFile()]
        return sorted(name for name in found if not name.startswith((".", "_")))

    @property
    def is_file(self) -> bool:
        """Whether this is a file rather than a folder."""
        return bool(self._files.getFileStatus(self._path("")).isFile())

    def read_text(self, name: str) -> str:
        """Read a text file; raises `DataError` if there is none."""
        if not self.exists(name):
            raise DataError(f"{self.location} has no file {name}.")
        stream = self._files.open(self._path(name))
        try:
            return bytes(stream.readAllBytes()).decode()
        finally:
            stream.close()

    def write(self, name: str, content: bytes) -> None:
        """Write a file, which replaces an earlier one."""
        stream = self._files.create(self._path(name), True)
        try:
            stream.write(bytearray(content))
        finally:
            stream.close()

    def delete(self, name: str) -> None:
        """Delete a file or a folder with its files, if there is one."""
        self._files.delete(self._path(name), True)


def manifest_of(folder: Folder) -> Manifest:
    """Read the manifest of a folder of data; raises `DataError` if there is none.

    Files on this machine are compared with it. Those on a Hadoop path are not: one machine would have to read them all.
    """
    if folder.local:
        return read_manifest(folder.local)
    try:
        return Manifest(**json.loads(folder.read_text(MANIFEST_NAME)))
    except (ValueError, TypeError) as error:
        raise DataError(f"{folder.uri_of(MANIFEST_NAME)} is not a manifest of data: {error}.") from error
