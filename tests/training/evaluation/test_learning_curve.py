import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.model.learning import command
from training.evaluation.evaluate import evaluate
from training.evaluation.learning_curve import LEARNING_NAME, compute_learning_curve, load_learning_curve
from training.model.run_folder import Run, RunError
from training.progress import silent


def test_the_last_point_is_the_evaluated_run(small_run: Run, small_data: Path) -> None:
    evaluation = evaluate(small_run.folder, small_data)
    *_, last = compute_learning_curve(small_run.folder, small_data, sizes=()).points
    whole, excerpts = evaluation.figures["cross-validation"], evaluation.figures["cross-validation crops"]
    assert (last.reviews, last.accuracy, last.error) == (whole.reviews, whole.accuracy, whole.accuracy_error)
    assert (last.excerpt_accuracy, last.excerpt_error) == (excerpts.accuracy, excerpts.accuracy_error)


def test_points_are_in_order_and_stored_with_their_model(small_run: Run, small_data: Path) -> None:
    curve = compute_learning_curve(small_run.folder, small_data, sizes=(200, 100, 100_000))
    assert [point.reviews for point in curve.points][:2] == [100, 200]
    assert len(curve.points) == 3
    assert all(0 <= point.accuracy <= 1 and math.isfinite(point.error) for point in curve.points)
    assert load_learning_curve(small_run) == curve
    assert load_learning_curve(replace(small_run, record=replace(small_run.record, model_sha256="other"))) is None


def test_an_interrupted_step_leaves_the_run_unchanged(small_run: Run, small_data: Path) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = sorted(small_run.folder.iterdir())
    with pytest.raises(KeyboardInterrupt):
        compute_learning_curve(small_run.folder, small_data, (100,), silent, stop)
    assert sorted(small_run.folder.iterdir()) == before


def test_an_unreadable_curve_is_an_error(small_run: Run) -> None:
    (small_run.folder / LEARNING_NAME).write_text(json.dumps({"points": 3}))
    with pytest.raises(RunError, match="Remove it"):
        load_learning_curve(small_run)


def test_the_command_shows_the_points(named_run: Path, small_data: Path) -> None:
    result = CliRunner().invoke(command, ["--data", str(small_data), "--size", "100"])
    assert result.exit_code == 0
    assert "100" in result.output
    assert "±" in result.output
    assert not (named_run / "report.html").exists()


def test_the_command_adds_the_curve_to_the_report_of_an_evaluated_run(named_run: Path, small_data: Path) -> None:
    evaluate(named_run, small_data)
    result = CliRunner().invoke(command, ["--data", str(small_data), "--size", "1000"])
    assert result.exit_code == 0
    assert "training reviews</text>" in (named_run / "report.html").read_text(encoding="utf-8")
