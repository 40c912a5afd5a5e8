import json
import math
from dataclasses import replace

import pytest
from click.testing import CliRunner

from cli.model.learning import command
from training.evaluation.evaluate import evaluate
from training.evaluation.learning import learning
from training.evaluation.learning_curve import LEARNING_NAME, load_learning_curve
from training.model.run_folder import RunError
from training.progress import silent


def test_the_last_point_is_the_run_as_it_was_evaluated(small_run, small_data):
    evaluation = evaluate(small_run.folder, small_data)
    *_, last = learning(small_run.folder, small_data, sizes=()).points
    whole, crops = evaluation.asked["cross-validation"], evaluation.asked["cross-validation crops"]
    assert (last.reviews, last.accuracy, last.error) == (whole.reviews, whole.accuracy, whole.accuracy_error)
    assert (last.crops, last.crops_error) == (crops.accuracy, crops.accuracy_error)


def test_points_go_from_few_reviews_to_all_and_are_kept_with_their_model(small_run, small_data):
    curve = learning(small_run.folder, small_data, sizes=(200, 100, 100_000))
    assert [point.reviews for point in curve.points][:2] == [100, 200]
    assert len(curve.points) == 3
    assert all(0 <= point.accuracy <= 1 and math.isfinite(point.error) for point in curve.points)
    assert load_learning_curve(small_run) == curve
    assert load_learning_curve(replace(small_run, record=replace(small_run.record, model_sha256="other"))) is None


def test_the_curve_is_drawn_into_the_report_of_a_run_that_was_evaluated(small_run, small_data):
    learning(small_run.folder, small_data, sizes=())
    assert not (small_run.folder / "report.html").exists()
    evaluate(small_run.folder, small_data)
    assert "reviews learned from" in (small_run.folder / "report.html").read_text()


def test_stopping_half_way_leaves_the_run_as_it_was(small_run, small_data):
    def stop(*_):
        raise KeyboardInterrupt

    before = sorted(small_run.folder.iterdir())
    with pytest.raises(KeyboardInterrupt):
        learning(small_run.folder, small_data, (100,), silent, stop)
    assert sorted(small_run.folder.iterdir()) == before


def test_a_curve_that_cannot_be_read_is_told(small_run):
    (small_run.folder / LEARNING_NAME).write_text(json.dumps({"points": 3}))
    with pytest.raises(RunError, match="Remove it"):
        load_learning_curve(small_run)


def test_the_command_shows_the_points(small_run, small_data, monkeypatch):
    monkeypatch.chdir(small_run.folder.parent)
    (small_run.folder.parent / "runs").mkdir()
    small_run.folder.rename(small_run.folder.parent / "runs" / "default")
    result = CliRunner().invoke(command, ["--data", str(small_data), "--size", "100"])
    assert result.exit_code == 0
    assert "100" in result.output
    assert "±" in result.output
