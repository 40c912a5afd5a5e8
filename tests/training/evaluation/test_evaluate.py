import json

import numpy as np
import pytest
from click.testing import CliRunner

from chalicelib.text import words
from cli.model.evaluate import command
from training.data.collect import collect
from training.data.excerpts import excerpts_of
from training.data.reviews import REVIEWS_NAME, DataError, read
from training.data.splits import assign
from training.evaluation.evaluate import evaluate, evaluate_labelled, summary_rows
from training.evaluation.evaluation import load_evaluation
from training.features.prepare import Recipe, prepare
from training.model.hyperparameters import with_settings
from training.model.run_folder import RunError, load_run
from training.model.train import train

SMALL = ("num_round=20", "colsample_bynode=1", "min_child_weight=1", "eta=0.3")


def test_what_was_held_out_is_looked_at_and_the_test_only_when_asked(small_run, small_data):
    evaluation = evaluate(small_run.folder, small_data)
    assert list(evaluation.asked) == ["cross-validation", "cross-validation crops"]
    assert evaluation.test_looks == 0
    assert [figures.reviews for figures in evaluation.asked.values()] == [300, 300]


def test_every_look_at_the_test_is_counted_and_its_figures_kept(small_run, small_data):
    first = evaluate(small_run.folder, small_data, look_at_test=True)
    evaluate(small_run.folder, small_data, look_at_test=True)
    last = evaluate(small_run.folder, small_data)
    assert last.test_looks == 2
    for name in ("test", "test crops"):
        assert last.asked[name] == first.asked[name]
        assert first.asked[name].reviews == 300
    assert first.asked["test"].accuracy > 0.8


def test_test_figures_of_another_band_are_not_kept(small_run, small_data):
    def demanding(share):
        return {"cross-validation": share, "cross-validation crops": 0.5}

    before = evaluate(small_run.folder, small_data, look_at_test=True, precision=demanding(0.5))
    after = evaluate(small_run.folder, small_data, precision=demanding(1.0))
    assert before.not_sure_band != after.not_sure_band
    assert (list(after.asked), after.test_looks) == (["cross-validation", "cross-validation crops"], 1)


@pytest.mark.parametrize("strict", ["cross-validation", "cross-validation crops"])
def test_the_band_meets_what_is_demanded_of_reviews_and_of_crops(small_run, small_data, strict):
    easy = evaluate(small_run.folder, small_data, precision={"cross-validation": 0.5, "cross-validation crops": 0.5})
    share = min(0.99, (easy.asked[strict].answered_accuracy + 1) / 2)
    demand = {"cross-validation": 0.5, "cross-validation crops": 0.5, strict: share}
    harder = evaluate(small_run.folder, small_data, precision=demand)
    assert harder.precision == demand
    assert harder.not_sure_band[1] > easy.not_sure_band[1]
    assert harder.asked[strict].answered_accuracy >= share or harder.not_sure_band[1] == 0.95


def test_the_figures_are_of_models_that_never_saw_the_review(evaluated_run, small_data):
    """The released model has seen them all, and would do better."""
    held_out = load_evaluation(evaluated_run).asked["cross-validation"]
    assert held_out.accuracy == pytest.approx(
        np.mean([fold["accuracy"] for fold in held_out.by_fold])  # folds of one size
    )
    assert [fold["reviews"] for fold in held_out.by_fold] == [60] * 5
    said = np.array([probability for fold in evaluated_run.held_out for probability in fold[::2]])
    labels = np.array([label for fold in range(5) for label in labels_of(small_data, fold)])
    assert held_out.accuracy == pytest.approx(((said > 0.5) == labels).mean())


def labels_of(data_folder, fold):
    splits = assign(data_folder / REVIEWS_NAME)
    return [review.label for review in read(data_folder / REVIEWS_NAME) if splits.of(review) == fold]


def test_a_mistake_shows_what_was_asked(evaluated_run, small_data):
    asked = load_evaluation(evaluated_run).asked
    text_of = {review.id: review.text for review in read(small_data / REVIEWS_NAME)}
    for name, figures in asked.items():
        assert figures.mistakes
        for mistake in figures.mistakes:
            text = text_of[mistake["id"]]
            shown = excerpts_of(mistake["id"], text, 1)[0] if "crops" in name else text
            assert mistake["text"] == shown if len(shown) <= 400 else mistake["text"] == shown[:400] + "…"
            assert mistake["words"] == len(words(shown))


def test_the_evaluation_of_another_model_counts_for_nothing(small_run, small_data):
    evaluate(small_run.folder, small_data)
    path = small_run.folder / "evaluation.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "model_sha256": "other"}))
    assert load_evaluation(small_run) is None


def test_a_run_of_other_reviews_is_refused(small_run, tmp_path):
    (tmp_path / "a.csv").write_text("review,label\n" + "good,1\nbad,0\n" * 50)
    collect(tmp_path / "a.csv", tmp_path / "other")
    with pytest.raises(RunError, match="trained on other reviews"):
        evaluate(small_run.folder, tmp_path / "other")


def test_the_summary_says_how_far_the_folds_lie_apart(evaluated_run):
    evaluation = load_evaluation(evaluated_run)
    rows = {name: values for name, *values in summary_rows(evaluation)}
    spread = evaluation.asked["cross-validation"].accuracy_spread
    assert rows["between folds, %"][0] == f"± {100 * spread:.2f}"
    assert rows["between folds, %"][2:] == ["", ""]  # the test has none
    assert all(len(values) == 4 for values in rows.values())


@pytest.fixture
def own_file(tmp_path):
    """A labelled file of somebody's own."""
    path = tmp_path / "own.csv"
    path.write_text("review,label\n" + "The film is wonderful,1\nThis movie is horrible,0\n" * 5)
    return path


def test_a_file_of_ones_own_is_measured_and_nothing_is_written(evaluated_run, own_file):
    before = {path.name: path.read_bytes() for path in evaluated_run.folder.iterdir()}
    evaluation = evaluate_labelled(evaluated_run.folder, own_file)
    assert list(evaluation.asked) == ["own.csv"]
    assert (evaluation.asked["own.csv"].reviews, evaluation.asked["own.csv"].accuracy) == (10, 1.0)
    assert evaluation.not_sure_band == load_evaluation(evaluated_run).not_sure_band
    assert {path.name: path.read_bytes() for path in evaluated_run.folder.iterdir()} == before


def test_a_file_is_measured_once_there_is_a_band_and_only_with_both_labels(small_run, evaluated_run, own_file):
    with pytest.raises(RunError, match="First run `verdict evaluate`"):
        evaluate_labelled(small_run.folder, own_file)
    own_file.write_text("review,label\nThe film is wonderful,1\n")
    with pytest.raises(DataError, match="reviews of both labels"):
        evaluate_labelled(evaluated_run.folder, own_file)


@pytest.fixture
def named_run(small_run, monkeypatch):
    """The run where the command looks for it."""
    monkeypatch.chdir(small_run.folder.parent)
    (small_run.folder.parent / "runs").mkdir()
    return small_run.folder.rename(small_run.folder.parent / "runs" / "default")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "The test was not looked at."),
        (["--test"], "Looked at the official test once."),
    ],
)
def test_the_command_ends_with_how_often_the_test_was_seen(named_run, small_data, arguments, said):
    result = CliRunner().invoke(command, ["--data", str(small_data), *arguments])
    assert result.exit_code == 0, result.output
    assert said in result.output
    assert load_evaluation(load_run(named_run)).test_looks == len(arguments)


def test_the_commands_precisions_are_of_reviews_and_of_crops(named_run, small_data):
    arguments = ["--data", str(small_data), "--precision", "0.7", "--short-precision", "0.6"]
    assert CliRunner().invoke(command, arguments).exit_code == 0
    precision = load_evaluation(load_run(named_run)).precision
    assert precision == {"cross-validation": 0.7, "cross-validation crops": 0.6}


@pytest.mark.parametrize("crops", [True, False])
def test_reviews_without_stars_or_test_can_be_evaluated(small_slots, tmp_path, crops):
    rows = "".join(f"a good film {i},1\na bad film {i},0\n" for i in range(100))
    (tmp_path / "own.csv").write_text("review,label\n" + rows)
    collect(tmp_path / "own.csv", tmp_path / "data")
    prepare(tmp_path / "data", tmp_path / "channels", recipe=Recipe(crops=crops), slots=small_slots)
    train(tmp_path / "channels", tmp_path / "run", with_settings("default", SMALL))
    evaluation = evaluate(tmp_path / "run", tmp_path / "data")
    assert list(evaluation.asked) == ["cross-validation", "cross-validation crops"][: 1 + crops]
    assert list(evaluation.precision) == list(evaluation.asked)
    assert evaluation.asked["cross-validation"].accuracy == 1
    with pytest.raises(DataError, match="no test split"):
        evaluate(tmp_path / "run", tmp_path / "data", look_at_test=True)
    assert load_evaluation(load_run(tmp_path / "run")) == evaluation


def test_a_run_of_fewer_reviews_is_judged_on_those(small_data, small_hyperparameters, tmp_path):
    prepare(small_data, tmp_path / "channels", recipe=Recipe(evidence=False, reviews=200))
    train(tmp_path / "channels", tmp_path / "run", small_hyperparameters)
    asked = evaluate(tmp_path / "run", small_data, look_at_test=True).asked
    assert [figures.reviews for figures in asked.values()] == [200, 200, 300, 300]


@pytest.mark.usefixtures("named_run")
def test_the_command_measures_a_file(small_data, own_file):
    assert CliRunner().invoke(command, ["--data", str(small_data)]).exit_code == 0
    result = CliRunner().invoke(command, ["--labelled", str(own_file)])
    assert result.exit_code == 0, result.output
    assert "own.csv" in result.output
    assert "test" not in result.output
