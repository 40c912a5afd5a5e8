from pathlib import Path

import pytest

from chalicelib import vocabulary
from chalicelib.text import words
from training.features import PRESETS, Recipe, load_prepared, prepare
from training.reviews import REVIEWS_NAME, DataError, read
from training.splits import assign


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_line_is_the_label_and_the_row_the_app_would_send(small_data, small_channels):
    known = vocabulary.load(small_channels / "vocabulary.txt")
    splits = assign(small_data / REVIEWS_NAME)
    expected = [
        f"{review.label} {known.row(words(review.text))}"
        for review in read(small_data / REVIEWS_NAME)
        if splits.of(review) == "validation"
    ]
    assert (small_channels / "validation/validation.libsvm").read_text().splitlines() == expected


def test_every_line_of_both_channels_has_both_constants(small_channels):
    last = vocabulary.load(small_channels / "vocabulary.txt").last_column
    for split in ("train", "validation"):
        lines = (small_channels / split / f"{split}.libsvm").read_text().splitlines()
        assert lines
        assert all(line[1:6] == " 0:1 " and line.endswith(f" {last}:1") for line in lines)


def test_no_word_of_validation_or_test_alone_is_in_the_vocabulary(small_data, small_channels):
    splits = assign(small_data / REVIEWS_NAME)
    of_train = {
        word
        for review in read(small_data / REVIEWS_NAME)
        if splits.of(review) == "train"
        for word in words(review.text)
    }
    known = vocabulary.load(small_channels / "vocabulary.txt")
    assert {word for term in known.terms for word in term.split()} <= of_train


def test_the_same_reviews_give_the_same_files(small_data, small_channels, tmp_path):
    prepare(small_data, tmp_path)
    assert files(tmp_path) == files(small_channels)


@pytest.mark.parametrize("name", ["train/train.libsvm", "validation/validation.libsvm", "vocabulary.txt"])
def test_a_file_of_another_preparation_is_refused(small_data, tmp_path, name):
    prepare(small_data, tmp_path)
    path = tmp_path / name
    path.write_text(path.read_text().replace("horrible", "terrible") if "voc" in name else "1 0:1\n")
    with pytest.raises(DataError, match="is not the"):
        load_prepared(tmp_path)


def test_a_folder_without_channels_says_what_to_run(tmp_path):
    with pytest.raises(DataError, match="python -m training prepare"):
        load_prepared(tmp_path)


def test_a_recipe_decides_on_terms_and_reviews(small_data, tmp_path):
    prepared = prepare(small_data, tmp_path, recipe=Recipe(terms=20, frequent_words=20, reviews=100))
    terms = vocabulary.load(tmp_path / "vocabulary.txt").terms
    assert prepared.terms == len(terms) == 20
    assert not [term for term in terms if " " in term]
    assert sum(prepared.rows["train"].values()) == 100
    assert load_prepared(tmp_path)[0] == prepared


def test_the_tutorials_recipe_is_its_most_frequent_words_alone():
    assert PRESETS["tutorial"].terms == PRESETS["tutorial"].frequent_words
