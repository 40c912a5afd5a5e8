import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from chalicelib.text import words
from cli.model.evaluate import command
from training.data.collect import collect
from training.data.excerpts import excerpts_of
from training.data.reviews import REVIEWS_NAME, DataError, read
from training.data.splits import assign
from training.evaluation.evaluate import Evaluation, evaluate, evaluate_labelled, load_evaluation, summary_rows
from training.evaluation.predictions import Floats
from training.features.prepare import FeatureRecipe, prepare
from training.model.hyperparameters import with_settings
from training.model.run_folder import HELD_OUT_NAME, Run, RunError, load_run, write_run
from training.model.train import train

SMALL = ("num_round=20", "colsample_bynode=1", "min_child_weight=1", "eta=0.3")


def test_the_test_is_used_only_on_request(small_run: Run, small_data: Path) -> None:
    evaluation = evaluate(small_run.folder, small_data)
    assert list(evaluation.figures) == ["cross-validation", "cross-validation crops"]
    assert evaluation.test_looks == 0
    assert [figures.reviews for figures in evaluation.figures.values()] == [300, 300]


def test_evaluations_on_the_test_are_counted_and_kept(small_run: Run, small_data: Path) -> None:
    first = evaluate(small_run.folder, small_data, include_test=True)
    evaluate(small_run.folder, small_data, include_test=True)
    last = evaluate(small_run.folder, small_data)
    assert last.test_looks == 2
    for name in ("test", "test crops"):
        assert last.figures[name] == first.figures[name]
        assert first.figures[name].reviews == 300
    assert first.figures["test"].accuracy > 0.8


def test_test_figures_of_another_band_are_dropped(small_run: Run, small_data: Path) -> None:
    def targets(precision: float) -> dict[str, float]:
        return {"cross-validation": precision, "cross-validation crops": 0.5}

    before = evaluate(small_run.folder, small_data, include_test=True, precision=targets(0.5))
    after = evaluate(small_run.folder, small_data, precision=targets(1.0))
    assert before.not_sure_band != after.not_sure_band
    assert (list(after.figures), after.test_looks) == (["cross-validation", "cross-validation crops"], 1)


@pytest.mark.parametrize("strict", ["cross-validation", "cross-validation crops"])
def test_the_band_meets_the_targets_of_reviews_and_excerpts(small_run: Run, small_data: Path, strict: str) -> None:
    easy = evaluate(small_run.folder, small_data, precision={"cross-validation": 0.5, "cross-validation crops": 0.5})
    share = min(0.99, (easy.figures[strict].answered_accuracy + 1) / 2)
    targets = {"cross-validation": 0.5, "cross-validation crops": 0.5, strict: share}
    harder = evaluate(small_run.folder, small_data, precision=targets)
    assert harder.precision == targets
    assert harder.not_sure_band[1] > easy.not_sure_band[1]
    assert harder.figures[strict].answered_accuracy >= share or harder.not_sure_band[1] == 0.95


def test_cross_validation_uses_out_of_fold_predictions(evaluated_run: Run, small_data: Path) -> None:
    """The released model was trained on all reviews, and would do better."""
    held_out = evaluation_of(evaluated_run).figures["cross-validation"]
    assert held_out.accuracy == pytest.approx(
        np.mean([fold["accuracy"] for fold in held_out.by_fold])  # folds of one size
    )
    assert [fold["reviews"] for fold in held_out.by_fold] == [60] * 5
    excerpts_follow = slice(None, None, 2)  # each review's probability is followed by that of its excerpt
    predictions = np.array([each for fold in evaluated_run.held_out for each in fold[excerpts_follow]])
    labels = np.array([label for fold in range(5) for label in labels_of(small_data, fold)])
    assert held_out.accuracy == pytest.approx(((predictions > 0.5) == labels).mean())


def evaluation_of(run: Run) -> Evaluation:
    evaluation = load_evaluation(run)
    assert evaluation
    return evaluation


def labels_of(data_folder: Path, fold: int) -> list[int]:
    splits = assign(data_folder / REVIEWS_NAME)
    return [review.label for review in read(data_folder / REVIEWS_NAME) if splits.place_of(review) == fold]


def test_a_mistake_quotes_the_text_that_was_scored(evaluated_run: Run, small_data: Path) -> None:
    text_of = {review.id: review.text for review in read(small_data / REVIEWS_NAME)}
    for name, figures in evaluation_of(evaluated_run).figures.items():
        assert figures.mistakes
        for mistake in figures.mistakes:
            text = text_of[mistake["id"]]
            scored = excerpts_of(mistake["id"], text, 1)[0] if "crops" in name else text
            assert mistake["text"] == scored[:400] + ("…" if len(scored) > 400 else "")
            assert mistake["words"] == len(words(scored))


def test_an_evaluation_of_another_model_is_ignored(small_run: Run, small_data: Path) -> None:
    evaluate(small_run.folder, small_data)
    path = small_run.folder / "evaluation.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "model_sha256": "other"}))
    assert load_evaluation(small_run) is None


def test_a_run_of_other_reviews_is_refused(small_run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("review,label\n" + "good,1\nbad,0\n" * 50)
    collect(tmp_path / "a.csv", tmp_path / "other")
    with pytest.raises(RunError, match="not trained on the reviews"):
        evaluate(small_run.folder, tmp_path / "other")


def test_an_evaluation_is_never_of_two_runs(small_run: Run, small_data: Path) -> None:
    """The record is replaced, as by a program that knows no locks, while the test is scored."""

    def replace_run(rows: Sequence[str]) -> Floats:
        record = replace(small_run.record, seconds=0.0)
        write_run(
            small_run.folder,
            record,
            small_run.encoder,
            small_run.model,
            (small_run.folder / HELD_OUT_NAME).read_bytes(),
        )
        return np.full(len(rows), 0.5)

    with pytest.raises(RunError, match="trained again while it was evaluated"):
        evaluate(small_run.folder, small_data, include_test=True, predict=replace_run)
    assert not (small_run.folder / "evaluation.json").exists()


def test_the_summary_has_the_spread_of_folds(evaluated_run: Run) -> None:
    evaluation = evaluation_of(evaluated_run)
    rows = {name: values for name, *values in summary_rows(evaluation)}
    spread = evaluation.figures["cross-validation"].accuracy_spread
    assert spread is not None
    assert rows["spread of folds, %"][0] == f"± {100 * spread:.2f}"
    assert rows["spread of folds, %"][2:] == ["", ""]  # the test has none
    assert all(len(values) == 4 for values in rows.values())


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    """A user's labelled file."""
    path = tmp_path / "own.csv"
    path.write_text("review,label\n" + "The film is wonderful,1\nThis movie is horrible,0\n" * 5)
    return path


def test_a_labelled_file_is_measured_and_nothing_is_written(evaluated_run: Run, own_file: Path) -> None:
    before = {path.name: path.read_bytes() for path in evaluated_run.folder.iterdir()}
    evaluation = evaluate_labelled(evaluated_run.folder, own_file)
    assert list(evaluation.figures) == ["own.csv"]
    assert (evaluation.figures["own.csv"].reviews, evaluation.figures["own.csv"].accuracy) == (10, 1.0)
    assert evaluation.not_sure_band == evaluation_of(evaluated_run).not_sure_band
    assert {path.name: path.read_bytes() for path in evaluated_run.folder.iterdir()} == before


def test_a_labelled_file_needs_a_band_and_both_labels(small_run: Run, evaluated_run: Run, own_file: Path) -> None:
    with pytest.raises(RunError, match="First run `verdict evaluate`"):
        evaluate_labelled(small_run.folder, own_file)
    own_file.write_text("review,label\nThe film is wonderful,1\n")
    with pytest.raises(DataError, match="reviews of both labels"):
        evaluate_labelled(evaluated_run.folder, own_file)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Not evaluated on the official test."),
        (["--test"], "Evaluated on the official test once."),
    ],
)
def test_the_command_writes_a_report_and_counts_uses_of_the_test(
    named_run: Path, small_data: Path, arguments: list[str], message: str
) -> None:
    result = CliRunner().invoke(command, ["--data", str(small_data), *arguments])
    assert result.exit_code == 0, result.output
    assert message in result.output
    assert evaluation_of(load_run(named_run)).test_looks == len(arguments)
    assert (named_run / "report.html").exists()


def test_the_command_takes_precisions_of_reviews_and_excerpts(named_run: Path, small_data: Path) -> None:
    arguments = ["--data", str(small_data), "--precision", "0.7", "--short-precision", "0.6"]
    assert CliRunner().invoke(command, arguments).exit_code == 0
    precision = evaluation_of(load_run(named_run)).precision
    assert precision == {"cross-validation": 0.7, "cross-validation crops": 0.6}


@pytest.mark.parametrize("crops", [True, False])
def test_reviews_without_stars_or_test_can_be_evaluated(small_slots: int, tmp_path: Path, crops: bool) -> None:
    rows = "".join(f"a good film {i},1\na bad film {i},0\n" for i in range(100))
    (tmp_path / "own.csv").write_text("review,label\n" + rows)
    collect(tmp_path / "own.csv", tmp_path / "data")
    prepare(tmp_path / "data", tmp_path / "channels", recipe=FeatureRecipe(excerpts=crops), slots=small_slots)
    train(tmp_path / "channels", tmp_path / "run", with_settings("default", SMALL))
    evaluation = evaluate(tmp_path / "run", tmp_path / "data")
    assert list(evaluation.figures) == ["cross-validation", "cross-validation crops"][: 1 + crops]
    assert list(evaluation.precision) == list(evaluation.figures)
    assert evaluation.figures["cross-validation"].accuracy == 1
    with pytest.raises(DataError, match="no test split"):
        evaluate(tmp_path / "run", tmp_path / "data", include_test=True)
    assert load_evaluation(load_run(tmp_path / "run")) == evaluation


def test_a_run_of_fewer_reviews_is_evaluated_on_those(
    small_data: Path, small_hyperparameters: dict[str, str], tmp_path: Path
) -> None:
    prepare(small_data, tmp_path / "channels", recipe=FeatureRecipe(ngrams=False, reviews=200))
    train(tmp_path / "channels", tmp_path / "run", small_hyperparameters)
    evaluation = evaluate(tmp_path / "run", small_data, include_test=True)
    assert [figures.reviews for figures in evaluation.figures.values()] == [200, 200, 300, 300]


@pytest.mark.usefixtures("named_run")
def test_the_command_measures_a_labelled_file(small_data: Path, own_file: Path) -> None:
    assert CliRunner().invoke(command, ["--data", str(small_data)]).exit_code == 0
    result = CliRunner().invoke(command, ["--labelled", str(own_file)])
    assert result.exit_code == 0, result.output
    assert "own.csv" in result.output
    assert "test" not in result.output
