from pathlib import Path

import pytest

from benchmarks.reviews import WORDS, sample_reviews
from chalicelib import release


def test_synthetic_reviews_have_the_right_length_and_are_repeatable() -> None:
    vocabulary = release.load().encoder.vocabulary
    sample = sample_reviews(None, vocabulary, 3)
    assert [len(text.split()) for text in sample.texts] == [WORDS] * 3
    assert sample == sample_reviews(None, vocabulary, 3)
    assert "synthetic" in sample.source


@pytest.mark.needs_archive
def test_real_reviews_have_about_the_right_length(archive: Path) -> None:
    sample = sample_reviews(archive, release.load().encoder.vocabulary, 5)
    assert len(sample.texts) == 5
    assert all(abs(len(text.split()) - WORDS) <= 10 for text in sample.texts)
