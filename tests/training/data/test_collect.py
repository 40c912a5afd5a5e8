import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.model.data import command
from training.data.collect import OFFICIAL_SIZE_BYTES, Additions, collect, collect_generated, collect_official
from training.data.reviews import DataError, read, write


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


def treebank(folder: Path) -> Path:
    """Write a small Treebank into a folder."""
    folder.mkdir()
    for split in ("train", "dev", "test"):
        (folder / f"{split}.txt").write_text(f"(3 (2 {split}) (4 fine))\n")
    return folder


def run(into: Path, *options: str | Path) -> dict[str, Any]:
    """Run `data`, and return its manifest."""
    result = CliRunner().invoke(command, [*map(str, options), "--into", str(into), "--json"])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_treebank_is_collected_beside_an_archive(small_archive: Path, tmp_path: Path) -> None:
    manifest = run(tmp_path / "data", "--archive", small_archive, "--treebank", treebank(tmp_path / "sst"))
    assert manifest["source"] == "small.tar.gz, sst"
    assert manifest["short_texts"]["treebank"]["train"] == {"sentences": 1, "phrases": 2}
    assert len(rows_of(tmp_path / "data" / "short_texts.jsonl")) == 5


def test_labelled_files_alone_are_read_as_one(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("review,label\ngood,1\nso so,\nbad,0\n")
    (tmp_path / "b.csv").write_text("text,stars\nfine,5\npoor,1\n")
    manifest = run(tmp_path / "data", "--labelled", tmp_path / "a.csv", "--labelled", tmp_path / "b.csv")
    assert manifest["source"] == "a.csv, b.csv"
    rows = rows_of(tmp_path / "data" / "reviews.jsonl")
    assert [(row["number"], row["label"], row["text"]) for row in rows] == [
        (0, 1, "good"),
        (2, 0, "bad"),
        (3, 1, "fine"),
        (4, 0, "poor"),
    ]
    assert not (tmp_path / "data" / "short_texts.jsonl").exists()


def test_labelled_files_beside_an_archive_are_short_texts(small_archive: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("review,label\ngood,1\nbad,0\n")
    (tmp_path / "b.csv").write_text("review,label\nfine,1\npoor,0\n")
    options = ("--archive", small_archive, "--labelled", tmp_path / "a.csv", "--labelled", tmp_path / "b.csv")
    manifest = run(tmp_path / "data", *options)
    assert manifest["counts"]["train"] == {"negative": 150, "positive": 150}
    assert rows_of(tmp_path / "data" / "short_texts.jsonl") == [
        {"source": name, "split": "train", "group": group, "target": target, "whole": True, "text": text}
        for name, group, target, text in (
            ("a.csv", 0, 0.95, "good"),
            ("a.csv", 1, 0.05, "bad"),
            ("b.csv", 0, 0.95, "fine"),
            ("b.csv", 1, 0.05, "poor"),
        )
    ]


def test_two_short_labelled_files_of_one_name_are_refused(small_archive: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.csv").write_text("review,label\ngood,1\nbad,0\n")
    labelled = [tmp_path / name / "a.csv" for name in ("one", "two")]
    with pytest.raises(DataError, match=r"Two labelled files have the name a\.csv"):
        collect(small_archive, tmp_path / "data", additions=Additions(labelled=labelled))


def test_the_summary_names_what_was_added(small_archive: Path, tmp_path: Path) -> None:
    options = ["--archive", str(small_archive), "--treebank", str(treebank(tmp_path / "sst"))]
    result = CliRunner().invoke(command, [*options, "--into", str(tmp_path / "data")])
    assert "treebank, train: phrases" in result.output
    assert "treebank, dev: phrases" not in result.output


@pytest.mark.needs_archive
def test_the_official_archive_is_complete(archive: Path, tmp_path: Path) -> None:
    manifest = collect(archive, tmp_path, official=True)
    assert manifest.files["reviews.jsonl"] == "4d213c31162b1877b95ce1bfbef7586835d94640efb085b1705e7fb13c1e7360"
    assert manifest.movies == {"train": 3_456, "test": 3_581}
    assert manifest.unlabelled + manifest.overlapping == 50_000
    without_movies = [replace(review, movie=None) for review in read(tmp_path / "reviews.jsonl")]
    older = write(tmp_path / "older", without_movies, "an archive without lists of movies")
    assert older.fingerprint == "4269a5c4be6ca4cb6d3eae5a5348354535a3ef077fb139504acc705db11a673a"
    assert (manifest.repeated, manifest.shared, manifest.empty) == ({"train": 96, "test": 199}, 123, 0)


def test_drifted_reviews_have_new_words_and_other_shares(tmp_path: Path) -> None:
    usual = collect_generated(60, tmp_path / "usual")
    drifted = collect_generated(60, tmp_path / "drifted", drifted=True)
    assert usual.counts["train"] == {"negative": 60, "positive": 60}
    assert drifted.counts["train"] == {"negative": 90, "positive": 30}
    texts = (tmp_path / "drifted" / "reviews.jsonl").read_text()
    assert "bingeworthy" in texts
    assert "bingeworthy" not in (tmp_path / "usual" / "reviews.jsonl").read_text()


def test_drifted_needs_generated_reviews() -> None:
    result = CliRunner().invoke(command, ["--drifted"])
    assert result.exit_code == 2
    assert "--drifted needs --generated" in result.output


def test_a_file_of_the_official_size_with_another_hash_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "aclImdb_v1.tar.gz"
    with archive.open("wb") as file:
        file.truncate(OFFICIAL_SIZE_BYTES)
    with pytest.raises(DataError, match="not the official archive"):
        collect_official(tmp_path, treebank_url=None)
    assert not archive.exists()
