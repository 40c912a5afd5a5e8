import json
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.model.data import command
from training.data.collect import collect
from training.data.reviews import DataError


def write_folder(root: Path, count: int = 2) -> Path:
    for split in ("train", "test"):
        for label, rating in (("pos", 9), ("neg", 2)):
            (root / split / label).mkdir(parents=True)
            for number in range(count):
                path = root / split / label / f"{number}_{rating}.txt"
                path.write_text(f"{split} {label} {number}", encoding="utf-8")
    return root


def test_an_archive_and_its_folder_have_the_same_fingerprint(small_archive: Path, tmp_path: Path) -> None:
    with tarfile.open(small_archive) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    from_archive = collect(small_archive, tmp_path / "a")
    from_folder = collect(tmp_path / "unpacked", tmp_path / "b")
    assert from_archive.fingerprint == from_folder.fingerprint
    assert from_archive.counts == {
        "train": {"negative": 150, "positive": 150},
        "test": {"negative": 150, "positive": 150},
    }


def test_a_changed_text_changes_the_fingerprint(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "layout")
    before = collect(folder, tmp_path / "data").fingerprint
    (folder / "test" / "neg" / "0_2.txt").write_text("other", encoding="utf-8")
    assert collect(folder, tmp_path / "data").fingerprint != before


def test_duplicates_and_empty_reviews_are_counted(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "layout", count=4)
    (folder / "train" / "pos" / "1_9.txt").write_text("Train  POS 0\n", encoding="utf-8")  # again, within train
    (folder / "test" / "pos" / "0_9.txt").write_text("train pos 0", encoding="utf-8")  # again, in test
    (folder / "test" / "neg" / "3_2.txt").write_text(" \n", encoding="utf-8")
    manifest = collect(folder, tmp_path / "data")
    assert (manifest.repeated, manifest.shared, manifest.empty) == ({"train": 1, "test": 0}, 1, 1)
    assert manifest.counts["test"] == {"negative": 3, "positive": 4}


def test_a_folder_that_lacks_a_label_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "layout")
    for path in (folder / "test" / "pos").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="no positive reviews for test"):
        collect(folder, tmp_path / "data")


def test_an_incomplete_official_set_is_refused_and_writes_nothing(small_archive: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"12,500 reviews in each.*train positive 150"):
        collect(small_archive, tmp_path / "data", official=True)
    assert not (tmp_path / "data").exists()


def test_the_command_prints_the_counts(small_archive: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["--archive", str(small_archive), "--into", str(tmp_path / "data")])
    assert result.exit_code == 0
    assert "train, positive" in result.output
    assert json.loads((tmp_path / "data" / "data.json").read_text())["source"] == "small.tar.gz"


def test_the_command_accepts_only_one_source(small_archive: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["--archive", str(small_archive), "--folder", str(tmp_path)])
    assert result.exit_code == 2
    assert "Use only one of" in result.output


@pytest.mark.needs_archive
def test_the_official_archive_is_complete(archive: Path, tmp_path: Path) -> None:
    manifest = collect(archive, tmp_path, official=True)
    assert manifest.fingerprint == "4269a5c4be6ca4cb6d3eae5a5348354535a3ef077fb139504acc705db11a673a"
    assert (manifest.repeated, manifest.shared, manifest.empty) == ({"train": 96, "test": 199}, 123, 0)
