from pathlib import Path

import pytest

from benchmarks.reviews import WORDS, sample
from chalicelib import release


def test_made_up_reviews_have_the_wanted_words_and_are_the_same_every_time() -> None:
    vocabulary = release.load().encoder.vocabulary
    taken = sample(None, vocabulary, 3)
    assert [len(text.split()) for text in taken.texts] == [WORDS] * 3
    assert taken == sample(None, vocabulary, 3)
    assert "made up" in taken.source


@pytest.mark.needs_archive
def test_real_reviews_have_about_the_wanted_words(archive: Path) -> None:
    taken = sample(archive, release.load().encoder.vocabulary, 5)
    assert len(taken.texts) == 5
    assert all(abs(len(text.split()) - WORDS) <= 10 for text in taken.texts)
