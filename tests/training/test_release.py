import hashlib
import json
from dataclasses import asdict, replace

import pytest
import xgboost

from chalicelib.errors import ReleaseError
from chalicelib.release import load
from chalicelib.text import words
from training import atomic
from training.data import collect
from training.evaluate import evaluate
from training.features import prepare
from training.release import release
from training.run_folder import RunError, write_run
from training.scoring import load_booster, matrix
from training.train import train


def steps(archive, hyperparameters, folder):
    """Run every step, from an archive to a release in `folder`."""
    collect(archive, folder / "data")
    prepare(folder / "data", folder / "channels")
    train(folder / "channels", folder / "run", hyperparameters)
    evaluate(folder / "run", folder / "data")
    return release(folder / "run", folder / "data", folder / "release", folder / "model")


def test_from_an_archive_to_a_release_that_judges(small_archive, small_hyperparameters, tmp_path):
    steps(small_archive, small_hyperparameters, tmp_path)
    released = load(tmp_path / "release")
    model = (tmp_path / "model" / "xgboost-model").read_bytes()
    released.check_model(model)
    rows = [released.vocabulary.row(words(text)) for text in ("The film is wonderful.", "This movie is horrible.")]
    good, bad = load_booster(model).predict(xgboost.DMatrix(matrix(rows, released.facts.columns)))
    assert good > 0.5 > bad
    assert released.facts.metrics["test"]["accuracy"] > 0.8
    assert released.facts.metrics.keys() == {"validation", "test"}
    assert {path.name for path in (tmp_path / "model").iterdir()} == {"xgboost-model", "report.html", "report.json"}


def test_the_same_steps_give_the_same_release(small_archive, small_hyperparameters, tmp_path):
    first, second = (steps(small_archive, small_hyperparameters, tmp_path / name) for name in ("a", "b"))
    assert first.release.facts == second.release.facts
    assert [path.read_bytes() for path in first.files] == [path.read_bytes() for path in second.files]


def test_a_run_is_looked_at_on_test_once_for_its_release(small_run, small_data, tmp_path):
    first = release(small_run.folder, small_data, tmp_path / "release", tmp_path / "model")
    again = release(small_run.folder, small_data, tmp_path / "release", tmp_path / "model")
    assert (first.evaluation.test_looks, again.evaluation.test_looks) == (1, 1)


def test_an_interrupted_release_is_refused_by_readers(small_run, small_data, tmp_path):
    release(small_run.folder, small_data, tmp_path / "release", tmp_path / "model")
    facts = (tmp_path / "release" / "release.json").read_bytes()
    vocabulary = (tmp_path / "release" / "vocabulary.txt").read_text()
    atomic.write_text(tmp_path / "release" / "vocabulary.txt", vocabulary.replace("horrible", "terrible"))
    assert (tmp_path / "release" / "release.json").read_bytes() == facts
    with pytest.raises(ReleaseError, match="vocabulary_fingerprint"):
        load(tmp_path / "release")


def test_a_model_of_another_vocabulary_is_refused(small_run, small_data, tmp_path):
    booster = xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix([[1.0, 0.0], [0.0, 1.0]], [1, 0]), 1)
    model = bytes(booster.save_raw("ubj"))
    record = replace(small_run.record, model_sha256=hashlib.sha256(model).hexdigest())
    write_run(tmp_path / "run", record, small_run.vocabulary, model)
    with pytest.raises(RunError, match="reads 2 columns"):
        release(tmp_path / "run", small_data, tmp_path / "release", tmp_path / "model")
    assert not (tmp_path / "release").exists()


def test_a_model_of_another_xgboost_is_refused(small_run, small_data, tmp_path):
    versions = {**small_run.record.versions, "xgboost": "3.2.0"}
    (small_run.folder / "run.json").write_text(json.dumps(asdict(replace(small_run.record, versions=versions))))
    with pytest.raises(RunError, match=r"trained with xgboost 3\.2\.0; sagemaker-xgboost:3\.0-5 has 3\.0\.5"):
        release(small_run.folder, small_data, tmp_path / "release", tmp_path / "model")
