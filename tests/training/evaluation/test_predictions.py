from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import xgboost

from chalicelib.encoder import Encoder
from chalicelib.text import MAX_REVIEW_LENGTH, words
from simulator.container.serving import parse_libsvm
from training.data.excerpts import excerpts_of
from training.data.reviews import REVIEWS_NAME, Review, read
from training.data.splits import FOLDS, TEST, LeftOut, Splits, assign
from training.evaluation.predictions import (
    Floats,
    Predict,
    ScoredSplit,
    empty_score,
    load_booster,
    matrix,
    out_of_fold_predictions,
    predictor,
    score_reviews,
    score_test,
)
from training.features.channels import pair_of
from training.model.hyperparameters import parse
from training.model.run_folder import Run
from training.model.train import fit


@dataclass(frozen=True)
class Collected:
    """The generated reviews: their file, their splits, and the reviews themselves."""

    path: Path
    splits: Splits
    reviews: list[Review]


@pytest.fixture(scope="module")
def collected(small_data: Path) -> Collected:
    path = small_data / REVIEWS_NAME
    return Collected(path, assign(path), list(read(path)))


@pytest.fixture
def predict(trained_run: Run) -> Predict:
    return predictor(trained_run.model, trained_run.encoder.columns)


def predicted_directly(
    booster: xgboost.Booster, encoder: Encoder, texts: Sequence[str], rounds: int = 0
) -> list[float]:
    """Return xgboost's own predictions with the first rounds (0: all), as it gives them."""
    rows = matrix([encoder.row(words(text)) for text in texts], encoder.columns)
    predictions: list[float] = booster.predict(xgboost.DMatrix(rows), iteration_range=(0, rounds)).tolist()
    return predictions


def excerpts(reviews: Sequence[Review]) -> list[str]:
    return [excerpts_of(review.id, review.text, 1)[0] for review in reviews]


def joined(run: Run, held_out: list[list[float]], collected: Collected, with_excerpts: bool = True) -> ScoredSplit:
    return out_of_fold_predictions(held_out, run.encoder, collected.path, collected.splits, with_excerpts)


def test_test_reviews_and_an_excerpt_of_each_are_scored(
    trained_run: Run, predict: Predict, collected: Collected
) -> None:
    booster, encoder = load_booster(trained_run.model), trained_run.encoder
    split = score_test(predict, encoder, collected.path, collected.splits)
    test = [review for review in collected.reviews if review.split == "test"]
    assert split.excerpts
    for scored, texts in ((split.reviews, [review.text for review in test]), (split.excerpts, excerpts(test))):
        assert scored.ids == [review.id for review in test]
        assert scored.labels.tolist() == [review.label for review in test]
        assert scored.ratings.tolist() == [review.rating for review in test]
        assert set(scored.folds.tolist()) == {TEST}
        assert scored.word_counts.tolist() == [len(words(text)) for text in texts]
        assert scored.known_shares.tolist() == [encoder.vocabulary.known_share(words(text)) for text in texts]
        assert scored.probabilities.tolist() == predicted_directly(booster, encoder, texts)


@pytest.mark.parametrize(("at_once", "calls"), [(False, 2), (True, 1)])
def test_rows_are_predicted_part_by_part_or_at_once(
    trained_run: Run, predict: Predict, collected: Collected, at_once: bool, calls: int
) -> None:
    numbers: list[int] = []

    def counted(rows: Sequence[str]) -> Floats:
        numbers.append(len(rows))
        return predict(rows)

    split = score_test(counted, trained_run.encoder, collected.path, collected.splits, at_once=at_once)
    expected = score_test(predict, trained_run.encoder, collected.path, collected.splits)
    assert split.reviews.probabilities.tolist() == expected.reviews.probabilities.tolist()
    assert len(numbers) == calls
    assert sum(numbers) == 2 * len(split.reviews.ids)


def test_excerpts_are_scored_only_on_request(trained_run: Run, predict: Predict, collected: Collected) -> None:
    both = score_test(predict, trained_run.encoder, collected.path, collected.splits)
    whole = score_test(predict, trained_run.encoder, collected.path, collected.splits, with_excerpts=False)
    assert whole.excerpts is None
    assert whole.reviews.probabilities.tolist() == both.reviews.probabilities.tolist()


def test_out_of_fold_predictions_are_joined_with_their_reviews(
    trained_run: Run, small_channels: Path, small_encoders: dict[LeftOut, Encoder], collected: Collected
) -> None:
    """Each is computed again: by the fold's model, from the text, with features that were learned without the fold."""
    split = joined(trained_run, trained_run.held_out, collected)
    training = [review for review in collected.reviews if collected.splits.is_training(review)]
    assert split.excerpts
    assert split.reviews.ids == split.excerpts.ids == [review.id for review in training]
    hyperparameters = parse(trained_run.record.hyperparameters)
    for fold in range(FOLDS):
        booster, _ = fit(small_channels / pair_of(fold), hyperparameters, truncate=False)
        held_out = [review for review in training if collected.splits.place_of(review) == fold]
        in_fold = split.reviews.folds == fold
        for scored, texts in (
            (split.reviews, [review.text for review in held_out]),
            (split.excerpts, excerpts(held_out)),
        ):
            predictions = [
                predicted_directly(
                    booster, small_encoders[collected.splits.tenth_of(review)], [text], trained_run.record.rounds
                )[0]
                for review, text in zip(held_out, texts, strict=True)
            ]
            assert scored.probabilities[in_fold].tolist() == [round(each, 7) for each in predictions]
            assert scored.labels[in_fold].tolist() == [review.label for review in held_out]


def test_out_of_fold_predictions_may_lack_excerpts(trained_run: Run, collected: Collected) -> None:
    both = joined(trained_run, trained_run.held_out, collected)
    of_reviews = [both.reviews.probabilities[both.reviews.folds == fold].tolist() for fold in range(FOLDS)]
    whole = joined(trained_run, of_reviews, collected, with_excerpts=False)
    assert whole.excerpts is None
    assert whole.reviews.ids == both.reviews.ids
    assert whole.reviews.probabilities.tolist() == both.reviews.probabilities.tolist()


@pytest.mark.parametrize("change", [lambda predictions: predictions[:-1], lambda predictions: [*predictions, 0.5]])
def test_predictions_for_another_number_of_reviews_are_refused(
    trained_run: Run, collected: Collected, change: Callable[[list[float]], list[float]]
) -> None:
    with pytest.raises(ValueError, match="assign"):
        joined(trained_run, [change(trained_run.held_out[0]), *trained_run.held_out[1:]], collected)


def test_rows_are_read_as_the_container_reads_them(small_encoders: dict[LeftOut, Encoder]) -> None:
    encoder = small_encoders[None]
    rows = [encoder.row(words(text)) for text in ("The film is wonderful!", "", "zzz", "this movie is horrible")]
    ours = matrix(rows, encoder.columns)
    containers = parse_libsvm("\n".join(rows))
    assert (ours != containers).nnz == 0
    assert ours.nnz == containers.nnz  # the same columns are missing
    assert ours.dtype == np.float32


def test_the_empty_score_is_that_of_an_empty_review(trained_run: Run, predict: Predict) -> None:
    booster = load_booster(trained_run.model)
    assert empty_score(predict, trained_run.encoder) == predicted_directly(booster, trained_run.encoder, [""])[0]


def test_reviews_of_no_split_are_scored_whole_in_order(
    trained_run: Run, predict: Predict, collected: Collected
) -> None:
    some = collected.reviews[:7]
    scored = score_reviews(predict, trained_run.encoder, iter(some))
    booster = load_booster(trained_run.model)
    assert scored.ids == [review.id for review in some]
    texts = [review.text for review in some]
    assert scored.probabilities.tolist() == predicted_directly(booster, trained_run.encoder, texts)


def test_many_rows_are_predicted_in_batches(
    trained_run: Run, monkeypatch: pytest.MonkeyPatch, collected: Collected
) -> None:
    rows = [trained_run.encoder.row(words(review.text)) for review in collected.reviews[:9]]
    whole = predictor(trained_run.model, trained_run.encoder.columns)(rows)
    monkeypatch.setattr("training.evaluation.predictions._BATCH", 4)
    assert predictor(trained_run.model, trained_run.encoder.columns)(rows).tolist() == whole.tolist()
    assert predictor(trained_run.model, trained_run.encoder.columns)([]).tolist() == []


def test_a_review_is_scored_as_far_as_the_app_reads_it(
    trained_run: Run, predict: Predict, collected: Collected
) -> None:
    one, other = (
        "".join(review.text + " " for review in collected.reviews if review.label == label) for label in (0, 1)
    )
    read = one.ljust(MAX_REVIEW_LENGTH)[:MAX_REVIEW_LENGTH]
    texts = [read, read + other]
    reviews = [Review("train", number, 0, None, text) for number, text in enumerate(texts)]
    whole, cut = score_reviews(predict, trained_run.encoder, reviews).probabilities
    assert whole == cut
