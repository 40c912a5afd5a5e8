import json
import re

import pytest
from click.testing import CliRunner

from training.data import collect
from training.evaluate import command, evaluate
from training.evaluation import load_evaluation
from training.features import prepare
from training.hyperparameters import with_settings
from training.reviews import DataError
from training.run_folder import RunError, load_run
from training.train import train


def test_validation_alone_is_looked_at_unless_asked(small_run, small_data):
    evaluation = evaluate(small_run.folder, small_data)
    assert list(evaluation.splits) == ["validation"]
    assert evaluation.test_looks == 0
    assert "test was not looked at" in (small_run.folder / "report.html").read_text()


def test_every_look_at_the_test_is_counted_and_its_figures_kept(small_run, small_data):
    first = evaluate(small_run.folder, small_data, look_at_test=True)
    evaluate(small_run.folder, small_data, look_at_test=True)
    last = evaluate(small_run.folder, small_data)
    assert last.test_looks == 2
    assert last.splits["test"] == first.splits["test"]
    assert first.splits["test"].accuracy > 0.8


def test_test_figures_of_another_band_are_not_kept(small_run, small_data):
    before = evaluate(small_run.folder, small_data, look_at_test=True, precision=0.5)
    after = evaluate(small_run.folder, small_data, precision=1.0)
    assert before.not_sure_band != after.not_sure_band
    assert (list(after.splits), after.test_looks) == (["validation"], 1)


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


def test_the_command_ends_with_how_often_the_test_was_seen(small_run, small_data, monkeypatch):
    monkeypatch.chdir(small_run.folder.parent)
    (small_run.folder.parent / "runs").mkdir()
    small_run.folder.rename(small_run.folder.parent / "runs" / "default")
    result = CliRunner().invoke(command, ["--data", str(small_data), "--test"])
    assert result.exit_code == 0
    assert "Looked at the official test once." in result.output


def test_the_report_needs_nothing_but_itself(small_run, small_data):
    evaluate(small_run.folder, small_data, look_at_test=True)
    report = (small_run.folder / "report.html").read_text()
    addresses = set(re.findall(r'(?:src|href|url)\s*[=(]\s*["\']?(?!#)([a-z]+:[^"\')>]+)', report))
    assert addresses == set()
    assert not re.search(r"<script|<link|@import", report)
    assert report.count('role="img"') == 13
    ids = re.findall(r'\bid="([^"]+)"', report)
    assert len(ids) == len(set(ids))
    assert len(report) < 500_000


def test_reviews_without_stars_or_test_can_be_evaluated(tmp_path):
    rows = "".join(f"a good film {i},1\na bad film {i},0\n" for i in range(100))
    (tmp_path / "own.csv").write_text("review,label\n" + rows)
    collect(tmp_path / "own.csv", tmp_path / "data")
    prepare(tmp_path / "data", tmp_path / "channels")
    train(tmp_path / "channels", tmp_path / "run", with_settings("default", ("num_round=20", "colsample_bytree=1")))
    evaluation = evaluate(tmp_path / "run", tmp_path / "data")
    assert evaluation.splits["validation"].accuracy == 1
    with pytest.raises(DataError, match="no test split"):
        evaluate(tmp_path / "run", tmp_path / "data", look_at_test=True)
    assert load_evaluation(load_run(tmp_path / "run")) == evaluation
