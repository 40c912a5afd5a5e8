import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from training.data.collect import collect_official
from training.data.download import download
from training.data.reviews import DataError

CONTENT = bytes(range(256)) * 4000


class FileServer(BaseHTTPRequestHandler):
    """Serves `CONTENT`; its server says at most how many bytes of it (`cut`) and whether it knows ranges (`ranges`)."""

    def do_GET(self):
        self.server.asked.append(self.headers.get("Range"))
        start = 0
        if self.headers.get("Range") and self.server.ranges:
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        else:
            self.send_response(200 if self.path == "/file.tar.gz" else 404)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start:][: self.server.cut])

    def log_message(self, format, *args):
        """Keep quiet."""


@contextmanager
def serving(ranges=True) -> Iterator[tuple[str, ThreadingHTTPServer]]:
    with ThreadingHTTPServer(("127.0.0.1", 0), FileServer) as server:
        server.asked, server.cut, server.ranges = [], None, ranges
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/file.tar.gz", server
        finally:
            server.shutdown()


def test_a_file_is_fetched_with_its_progress(tmp_path):
    seen = []
    with serving() as (url, _):
        path = download(url, tmp_path / "f", len(CONTENT), lambda done, total, _: seen.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert seen == sorted(seen)
    assert seen[-1] == (len(CONTENT), len(CONTENT))


@pytest.mark.parametrize("ranges", [True, False])
def test_a_cut_download_is_finished_by_the_next_call(tmp_path, ranges):
    with serving(ranges) as (url, server):
        server.cut = 300_000
        with pytest.raises(DataError, match=r"cut at 300,000 of 1,024,000 bytes.*again"):
            download(url, tmp_path / "f", len(CONTENT))
        assert not (tmp_path / "f").exists()
        server.cut = None
        assert download(url, tmp_path / "f", len(CONTENT)).read_bytes() == CONTENT
        assert server.asked == [None, "bytes=300000-"]
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_a_file_that_is_here_is_not_fetched_again(tmp_path):
    (tmp_path / "f").write_bytes(CONTENT)
    assert download("http://127.0.0.1:9/never-asked", tmp_path / "f", len(CONTENT)) == tmp_path / "f"


def test_a_part_that_was_whole_already_is_taken(tmp_path):
    (tmp_path / "f.part").write_bytes(CONTENT)
    assert download("http://127.0.0.1:9/never-asked", tmp_path / "f", len(CONTENT)).read_bytes() == CONTENT


def test_a_file_of_another_size_is_refused(tmp_path):
    with serving() as (url, _), pytest.raises(DataError, match="offers 1,024,000 bytes; the file meant here has 5"):
        download(url, tmp_path / "f", 5)


def test_a_missing_page_and_a_dead_server_are_said(tmp_path):
    with serving() as (url, _), pytest.raises(DataError, match="404"):
        download(url + "/none", tmp_path / "f", len(CONTENT))
    with pytest.raises(DataError, match="cannot be fetched"):
        download(url, tmp_path / "f", len(CONTENT))


def test_an_official_archive_that_is_damaged_is_fetched_again(tmp_path):
    with serving() as (url, server):
        for _ in range(2):
            with pytest.raises(DataError, match="not a whole"):
                collect_official(tmp_path, url=url, size_bytes=len(CONTENT))
        assert server.asked == [None, None]
    assert list(tmp_path.iterdir()) == []
