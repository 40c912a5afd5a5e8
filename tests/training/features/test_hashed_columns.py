from pathlib import Path

import numpy as np
import pytest

from chalicelib.ngrams import NGRAM_KINDS
from training.data.reviews import ShortText
from training.features.hashed_columns import RANGES, HashedColumns, frequent_in_range, temporary_folder
from training.features.hashed_texts import HashedTexts, hash_short_texts


def chunk(first: int) -> HashedTexts:
    """Return hashed sentences, of which each has a number and many share words."""
    texts = [
        ShortText(
            "treebank", "train", number, number % 2, True, f"this film {number % 7} is not so {number % 3} at all"
        )
        for number in range(first, first + 30)
    ]
    return hash_short_texts(texts)


def test_a_part_is_read_as_it_was_written(tmp_path: Path) -> None:
    texts, columns = chunk(0), HashedColumns(tmp_path)
    columns.add(texts)
    (part,) = columns.parts
    assert part.hashes().tolist() == texts.hashes.tolist()
    assert part.inside().tolist() == texts.inside.tolist()
    assert part.lengths().tolist() == texts.lengths.tolist()
    assert columns.counts() == {"sentence": 30}


@pytest.mark.parametrize("least", [1, 5, 40])
def test_counts_by_range_equal_a_count_of_everything(tmp_path: Path, least: int) -> None:
    chunks, columns = [chunk(0), chunk(30), HashedTexts()], HashedColumns(tmp_path)
    for texts in chunks:
        columns.add(texts)
    for kind in range(len(NGRAM_KINDS)):
        hashes, counts = np.unique(
            np.concatenate([texts.hashes[texts.kinds == kind] for texts in chunks]), return_counts=True
        )
        found = [frequent_in_range(columns.parts, kind, number, least) for number in range(RANGES)]
        assert np.concatenate([each[0] for each in found]).tolist() == hashes[counts >= least].tolist()
        assert np.concatenate([each[1] for each in found]).tolist() == counts[counts >= least].tolist()


def interrupted(folder: Path) -> None:
    """Write a temporary file, and be interrupted."""
    with temporary_folder(folder) as inner:
        assert not any(inner.iterdir())
        (inner / "a.columns").write_bytes(b"1")
        raise KeyboardInterrupt


def test_temporary_files_are_deleted_after_an_interrupt_or_a_kill(tmp_path: Path) -> None:
    (tmp_path / ".hashed").mkdir()
    (tmp_path / ".hashed" / "remains.columns").write_bytes(b"of a killed process")
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path)
    assert not any(tmp_path.iterdir())


def test_a_folder_of_its_own_is_deleted_with_the_columns() -> None:
    columns = HashedColumns()
    columns.add(chunk(0))
    folder = columns.folder
    assert folder.exists()
    del columns
    assert not folder.exists()
