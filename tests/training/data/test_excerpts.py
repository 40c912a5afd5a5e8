import random

from chalicelib.text import sentences
from training.data.excerpts import LONGEST, crop, excerpts_of

REVIEW = "One is here. Two is here! Is three? Four is here. Five is here."


def pieces(text):
    return [text[start:end] for start, end in sentences(text)]


def test_a_crop_is_one_to_three_neighbouring_sentences():
    whole = pieces(REVIEW)
    runs = {tuple(whole[start : start + length]) for length in range(1, LONGEST + 1) for start in range(6 - length)}
    found = {tuple(pieces(crop(REVIEW, random.Random(seed)))) for seed in range(500)}
    assert found == runs
    assert {len(run) for run in found} == {1, 2, 3}


def test_a_crop_is_a_stretch_of_the_text_as_it_stands():
    text = "It <b>was</b> fine.<br /><br />But   dull..."
    assert all(crop(text, random.Random(seed)) in text for seed in range(50))


def test_a_review_without_sentences_is_its_own_crop():
    assert crop("...", random.Random(1)) == "..."


def test_a_short_review_is_never_longer_than_itself():
    assert {crop("Fine film.", random.Random(seed)) for seed in range(50)} == {"Fine film."}


def test_a_review_has_always_the_same_crops_the_first_ones_for_every_count():
    four = excerpts_of("train/pos/17", REVIEW, 4)
    assert four == excerpts_of("train/pos/17", REVIEW, 4)
    assert [excerpts_of("train/pos/17", REVIEW, count) for count in range(5)] == [four[:count] for count in range(5)]
    assert any(excerpts_of(f"train/neg/{number}", REVIEW, 4) != four for number in range(5))
