import sys
from pathlib import Path

import pytest

from training import atomic, locks
from training.locks import InUseError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fcntl locks")


def test_a_folder_has_one_writer(tmp_path: Path) -> None:
    descriptor = locks._open_locked(tmp_path)
    with pytest.raises(InUseError, match=r"reading or writing .*Wait until it ends"), locks.writing(tmp_path):
        pass
    with pytest.raises(InUseError, match="is writing"), locks.reading(tmp_path):
        pass
    locks._close(descriptor)
    with locks.writing(tmp_path):
        pass


def test_a_folder_has_many_readers_and_no_writer_beside_them(tmp_path: Path) -> None:
    with locks.reading(tmp_path), locks.reading(tmp_path):
        with pytest.raises(InUseError), locks.writing(tmp_path):
            pass
        with locks.reading(tmp_path):
            pass


def test_a_step_may_be_a_part_of_another_step(tmp_path: Path) -> None:
    with locks.writing(tmp_path):
        with locks.writing(tmp_path / "." / "."), locks.reading(tmp_path):
            pass
        with pytest.raises(InUseError):
            locks._open_locked(tmp_path)  # still locked for others


def test_a_folder_that_stays_empty_is_removed(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), locks.writing(tmp_path / "run"):
        raise KeyboardInterrupt
    with locks.writing(tmp_path / "other"):
        (tmp_path / "other" / "file").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_an_absent_folder_is_left_to_its_reader(tmp_path: Path) -> None:
    with locks.reading(tmp_path / "absent"):
        assert not (tmp_path / "absent").exists()


def test_two_writers_of_a_file_do_not_share_its_temporary_name(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with atomic.writing(path) as first:
        first.write(b"first")
        with pytest.raises(InUseError, match=r"Another command is writing .*file"):
            atomic.write_bytes(path, b"second")
    assert path.read_bytes() == b"first"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
