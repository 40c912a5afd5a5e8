from pathlib import Path

import pytest

from training import atomic


def write_half(path: Path) -> None:
    with atomic.writing(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt


def test_an_interrupted_write_keeps_the_earlier_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic.write_text(path, "before")
    with pytest.raises(KeyboardInterrupt):
        write_half(path)
    assert path.read_text() == "before"
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


def test_remains_of_a_killed_process_are_overwritten(tmp_path: Path) -> None:
    (tmp_path / ".file.part").write_text("left behind, and longer than the new content")
    atomic.write_text(tmp_path / "file", "new")
    assert [(item.name, item.read_text()) for item in tmp_path.iterdir()] == [("file", "new")]


def test_a_writable_folder_is_left_as_it_was(tmp_path: Path) -> None:
    atomic.check_writable(tmp_path)
    atomic.check_writable(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OSError, match="file"):
        atomic.check_writable(tmp_path / "file" / "folder")
