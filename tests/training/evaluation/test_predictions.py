import numpy as np
import pytest
import xgboost

from chalicelib.text import words
from simulator.container.serving import parse_libsvm
from training.data.excerpts import excerpts_of
from training.data.reviews import REVIEWS_NAME, read
from training.data.splits import FOLDS, TEST, assign
from training.evaluation.predictions import empty_score, load_booster, matrix, predictor, recall, score, score_all
from training.features.channels import pair_of
from training.features.ngram_weights import tenths_of
from training.model.hyperparameters import parse
from training.model.train import fit


@pytest.fixture(scope="module")
def path(small_data):
    return small_data / REVIEWS_NAME


@pytest.fixture(scope="module")
def splits(path):
    return assign(path)


@pytest.fixture(scope="module")
def reviews(path):
    return list(read(path))


@pytest.fixture
def predict(trained_run):
    return predictor(trained_run.model, trained_run.encoder.columns)


def asked_directly(booster, encoder, texts):
    rows = matrix([encoder.row(words(text)) for text in texts], encoder.columns)
    return booster.predict(xgboost.DMatrix(rows)).tolist()


def test_the_test_is_scored_review_by_review_and_a_crop_of_each(trained_run, predict, path, splits, reviews):
    booster = load_booster(trained_run.model)
    asked = score(predict, trained_run.encoder, path, splits)
    of_test = [review for review in reviews if review.split == "test"]
    crops = [excerpts_of(review.id, review.text, 1)[0] for review in of_test]
    for scored, texts in ((asked.reviews, [review.text for review in of_test]), (asked.crops, crops)):
        assert scored.ids == [review.id for review in of_test]
        assert scored.labels.tolist() == [review.label for review in of_test]
        assert scored.ratings.tolist() == [review.rating for review in of_test]
        assert set(scored.folds.tolist()) == {TEST}
        assert scored.word_counts.tolist() == [len(words(text)) for text in texts]
        assert scored.known_shares.tolist() == [
            trained_run.encoder.vocabulary.known_share(words(text)) for text in texts
        ]
        assert scored.probabilities.tolist() == asked_directly(booster, trained_run.encoder, texts)


def test_crops_are_left_out_where_nobody_asks_for_them(trained_run, predict, path, splits):
    whole = score(predict, trained_run.encoder, path, splits, crops=False)
    assert whole.crops is None
    assert whole.reviews.probabilities.tolist() == (
        score(predict, trained_run.encoder, path, splits).reviews.probabilities.tolist()
    )


def test_what_was_held_out_is_joined_with_the_review_it_was_said_of(
    trained_run, small_channels, small_encoders, path, splits, reviews
):
    """Every probability is asked for again: of the fold's model, by the text, with evidence that has not seen it."""
    asked = recall(trained_run.held_out, trained_run.encoder, path, splits, crops=True)
    learned_from = [review for review in reviews if splits.learns(review)]
    assert asked.reviews.ids == asked.crops.ids == [review.id for review in learned_from]
    hyperparameters = parse(trained_run.record.hyperparameters)
    for fold in range(FOLDS):
        booster, _ = fit(small_channels / pair_of(fold), hyperparameters, cut=False)
        held_out = [review for review in learned_from if splits.of(review) == fold]
        here = asked.reviews.folds == fold
        crops = [excerpts_of(review.id, review.text, 1)[0] for review in held_out]
        for scored, texts in ((asked.reviews, [review.text for review in held_out]), (asked.crops, crops)):
            encoder = small_encoders[tenths_of(fold)]
            rows = matrix([encoder.row(words(text)) for text in texts], encoder.columns)
            said = booster.predict(xgboost.DMatrix(rows), iteration_range=(0, trained_run.record.rounds))
            assert scored.probabilities[here].tolist() == [round(float(each), 7) for each in said]
            assert scored.labels[here].tolist() == [review.label for review in held_out]


def test_held_out_reviews_without_crops_are_joined_too(trained_run, path, splits):
    both = recall(trained_run.held_out, trained_run.encoder, path, splits, crops=True)
    whole = recall([said[::2] for said in trained_run.held_out], trained_run.encoder, path, splits, crops=False)
    assert whole.crops is None
    assert whole.reviews.ids == both.reviews.ids
    assert whole.reviews.probabilities.tolist() == both.reviews.probabilities.tolist()


@pytest.mark.parametrize("change", [lambda said: said[:-1], lambda said: [*said, 0.5]])
def test_what_was_said_of_more_or_fewer_reviews_is_not_joined(trained_run, path, splits, change):
    held_out = [change(trained_run.held_out[0]), *trained_run.held_out[1:]]
    with pytest.raises(ValueError, match="assign"):
        recall(held_out, trained_run.encoder, path, splits, crops=True)


def test_rows_are_read_as_the_container_reads_them(small_encoders):
    encoder = small_encoders[frozenset()]
    rows = [encoder.row(words(text)) for text in ("The film is wonderful!", "", "zzz", "this movie is horrible")]
    read_here = matrix(rows, encoder.columns)
    read_there = parse_libsvm("\n".join(rows))
    assert (read_here != read_there).nnz == 0
    assert read_here.nnz == read_there.nnz  # the same ones are missing
    assert read_here.dtype == np.float32


def test_nothing_is_scored_as_a_row_without_words(trained_run, predict):
    booster = load_booster(trained_run.model)
    assert empty_score(predict, trained_run.encoder) == asked_directly(booster, trained_run.encoder, [""])[0]


def test_reviews_from_elsewhere_are_scored_whole_in_their_order(trained_run, predict, reviews):
    some = reviews[:7]
    scored = score_all(predict, trained_run.encoder, iter(some))
    booster = load_booster(trained_run.model)
    assert scored.ids == [review.id for review in some]
    assert scored.probabilities.tolist() == asked_directly(booster, trained_run.encoder, [one.text for one in some])


def test_many_rows_are_asked_about_in_parts(trained_run, monkeypatch, reviews):
    rows = [trained_run.encoder.row(words(review.text)) for review in reviews[:9]]
    whole = predictor(trained_run.model, trained_run.encoder.columns)(rows)
    monkeypatch.setattr("training.evaluation.predictions._BATCH", 4)
    assert predictor(trained_run.model, trained_run.encoder.columns)(rows).tolist() == whole.tolist()
    assert predictor(trained_run.model, trained_run.encoder.columns)([]).tolist() == []
