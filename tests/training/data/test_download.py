import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from training.data.collect import collect_official
from training.data.download import download
from training.data.reviews import DataError

CONTENT = bytes(range(256)) * 4000


class FileServer(ThreadingHTTPServer):
    """A server of `CONTENT` that can stop after `cut` bytes or ignore ranges; `ranges_requested` records them."""

    def __init__(self, supports_ranges: bool) -> None:
        super().__init__(("127.0.0.1", 0), FileHandler)
        self.supports_ranges = supports_ranges
        self.cut: int | None = None
        self.ranges_requested: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/file.tar.gz"


class FileHandler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        self.server.ranges_requested.append(self.headers.get("Range"))
        start = 0
        if self.headers.get("Range") and self.server.supports_ranges:
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        else:
            self.send_response(200 if self.path == "/file.tar.gz" else 404)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start:][: self.server.cut])

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@contextmanager
def serving(supports_ranges: bool = True) -> Iterator[FileServer]:
    with FileServer(supports_ranges) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        try:
            yield server
        finally:
            server.shutdown()


def test_a_file_is_downloaded_with_progress(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    with serving() as server:
        path = download(server.url, tmp_path / "f", len(CONTENT), lambda done, total, _: seen.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert seen == sorted(seen)
    assert seen[-1] == (len(CONTENT), len(CONTENT))


@pytest.mark.parametrize("supports_ranges", [True, False])
def test_an_interrupted_download_is_completed_by_the_next_call(tmp_path: Path, supports_ranges: bool) -> None:
    with serving(supports_ranges) as server:
        server.cut = 300_000
        with pytest.raises(DataError, match="300,000 of 1,024,000 bytes"):
            download(server.url, tmp_path / "f", len(CONTENT))
        assert not (tmp_path / "f").exists()
        server.cut = None
        assert download(server.url, tmp_path / "f", len(CONTENT)).read_bytes() == CONTENT
        assert server.ranges_requested == [None, "bytes=300000-"]
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_an_existing_file_is_not_downloaded_again(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(CONTENT)
    assert download("http://127.0.0.1:9/never-requested", tmp_path / "f", len(CONTENT)) == tmp_path / "f"


def test_a_complete_part_is_used_without_a_request(tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(CONTENT)
    assert download("http://127.0.0.1:9/never-requested", tmp_path / "f", len(CONTENT)).read_bytes() == CONTENT


def test_a_file_of_an_unexpected_size_is_refused(tmp_path: Path) -> None:
    with serving() as server, pytest.raises(DataError, match="1,024,000 bytes, but 5"):
        download(server.url, tmp_path / "f", 5)


def test_a_missing_file_and_a_stopped_server_are_reported(tmp_path: Path) -> None:
    with serving() as server, pytest.raises(DataError, match="404"):
        download(server.url + "/none", tmp_path / "f", len(CONTENT))
    with pytest.raises(DataError, match="could not be downloaded"):
        download(server.url, tmp_path / "f", len(CONTENT))


def test_a_damaged_official_archive_is_downloaded_again(tmp_path: Path) -> None:
    with serving() as server:
        for _ in range(2):
            with pytest.raises(DataError, match="not a complete"):
                collect_official(tmp_path, url=server.url, size_bytes=len(CONTENT), treebank_url=None)
        assert server.ranges_requested == [None, None]
    assert list(tmp_path.iterdir()) == []


def test_without_a_size_the_one_that_the_server_states_is_checked(tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(b"of an earlier version")
    with serving() as server:
        server.cut = 300_000
        with pytest.raises(DataError, match="stopped at 300,000 of 1,024,000 bytes"):
            download(server.url, tmp_path / "f", None)
        server.cut = None
        assert download(server.url, tmp_path / "f", None).read_bytes() == CONTENT
        assert download(server.url, tmp_path / "f", None) == tmp_path / "f"
        assert server.ranges_requested == [None, None]


def test_a_damaged_treebank_is_downloaded_again_and_the_archive_kept(small_archive: Path, tmp_path: Path) -> None:
    archive = tmp_path / small_archive.name
    archive.write_bytes(small_archive.read_bytes())
    size = archive.stat().st_size
    with serving() as server:
        for _ in range(2):
            with pytest.raises(DataError, match="not the Treebank"):
                collect_official(
                    tmp_path, url=f"http://127.0.0.1:9/{archive.name}", size_bytes=size, treebank_url=server.url
                )
        assert server.ranges_requested == [None, None]
    assert list(tmp_path.iterdir()) == [archive]


def test_the_error_of_a_treebank_download_names_the_options(small_archive: Path, tmp_path: Path) -> None:
    archive = tmp_path / small_archive.name
    archive.write_bytes(small_archive.read_bytes())
    with serving() as server, pytest.raises(DataError, match=r"404.*use --no-treebank, or --treebank with a copy"):
        collect_official(
            tmp_path,
            url=f"http://127.0.0.1:9/{archive.name}",
            size_bytes=archive.stat().st_size,
            treebank_url=server.url + "/none.zip",
        )
