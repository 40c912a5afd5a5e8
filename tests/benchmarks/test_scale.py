import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.made_up_reviews import made_up_texts, write_reviews
from benchmarks.scale import measure
from chalicelib.text import words
from training.data.reviews import REVIEWS_NAME, UNLABELLED_NAME, read, read_manifest, read_unlabelled


def test_made_up_reviews_have_the_statistics_of_real_ones() -> None:
    texts = list(made_up_texts(np.arange(400) % 2 * 2 - 1, 1))
    counts = Counter(word for text in texts for word in words(text))
    lengths = [len(words(text)) for text in texts]
    assert np.median(lengths) == pytest.approx(175, rel=0.15)
    shares = [count / counts.total() for _, count in counts.most_common(1_000)]
    assert shares[0] == pytest.approx(0.057, rel=0.6)
    assert shares[99] == pytest.approx(0.00127, rel=0.6)
    assert shares[999] == pytest.approx(0.0001, rel=0.6)


def test_the_same_seed_gives_the_same_texts() -> None:
    labels = np.array([1, -1, 0])
    assert list(made_up_texts(labels, 5)) == list(made_up_texts(labels, 5)) != list(made_up_texts(labels, 6))


def test_a_folder_has_its_numbers_of_reviews(tmp_path: Path) -> None:
    write_reviews(tmp_path, 60, 30)
    assert Counter(review.label for review in read(tmp_path / REVIEWS_NAME)) == {0: 30, 1: 30}
    assert len(list(read_unlabelled(tmp_path / UNLABELLED_NAME))) == read_manifest(tmp_path).unlabelled == 30


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_tiny_size_is_measured(tmp_path: Path) -> None:
    figures = measure(100, 100, tmp_path)
    assert figures.cpu_seconds > 0.1
    assert figures.memory_bytes > 20_000_000
    assert figures.disk_bytes > 1_000
    assert figures.line().startswith("| 100 | ")
