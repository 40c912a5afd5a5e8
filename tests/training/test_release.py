import hashlib
import json
import re
import shutil
from dataclasses import asdict, replace

import pytest
import xgboost

from chalicelib.encoder import Encoder
from chalicelib.errors import ReleaseError
from chalicelib.ngram_features import load as load_ngram_table
from chalicelib.release import load
from chalicelib.text import words
from training import atomic
from training.data.collect import collect
from training.evaluation.evaluate import evaluate
from training.evaluation.evaluation import load_evaluation
from training.evaluation.predictions import load_booster, matrix
from training.evaluation.thresholds import PRECISION, SHORT_PRECISION
from training.features.channels import pair_of
from training.features.prepare import Recipe, prepare
from training.model.hyperparameters import parse, with_settings
from training.model.run_folder import RunError, load_run, write_run
from training.model.train import fit, train
from training.release import release


def steps(archive, hyperparameters, slots, folder):
    """Run every step, from an archive to a release in `folder`."""
    collect(archive, folder / "data")
    prepare(folder / "data", folder / "channels", slots=slots)
    train(folder / "channels", folder / "run", hyperparameters)
    evaluate(folder / "run", folder / "data")
    return release(folder / "run", folder / "data", folder / "release", folder / "model")


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def released_before(folder):
    """Write the files of a release before; returns their content."""
    for name in ("release/release.json", "release/vocabulary.txt", "release/evidence.bin", "model/xgboost-model"):
        atomic.write_text(folder / name, f"{name} of the release before")
    return contents(folder)


def with_model(run, booster):
    """Write a run with another model, whose record says so."""
    model = bytes(booster.save_raw("ubj"))
    record = replace(run.record, model_sha256=hashlib.sha256(model).hexdigest())
    write_run(run.folder, record, run.encoder, model, (run.folder / "held-out.json").read_bytes())


@pytest.fixture(scope="module")
def stepped(small_archive, small_hyperparameters, small_slots, tmp_path_factory):
    """A folder in which every step was run, and what the last one returned."""
    folder = tmp_path_factory.mktemp("steps")
    return folder, steps(small_archive, small_hyperparameters, small_slots, folder)


def test_from_an_archive_to_a_release_that_judges(stepped):
    folder, _ = stepped
    released = load(folder / "release")
    model = (folder / "model" / "xgboost-model").read_bytes()
    released.check_model(model)
    rows = [released.encoder.row(words(text)) for text in ("The film is wonderful.", "This movie is horrible.")]
    good, bad = load_booster(model).predict(xgboost.DMatrix(matrix(rows, released.facts.columns)))
    assert good > 0.5 > bad
    assert released.facts.metrics["test"]["accuracy"] > 0.8
    assert list(released.facts.metrics) == ["cross-validation", "cross-validation crops", "test", "test crops"]
    assert released.facts.precision == {"cross-validation": PRECISION, "cross-validation crops": SHORT_PRECISION}
    assert contents(folder / "release").keys() == {"evidence.bin", "release.json", "report.html", "vocabulary.txt"}
    assert contents(folder / "model").keys() == {"xgboost-model", "report.json", "canary.json"}


def test_the_same_steps_give_the_same_release(stepped, small_archive, small_hyperparameters, small_slots, tmp_path):
    folder, first = stepped
    second = steps(small_archive, small_hyperparameters, small_slots, tmp_path)
    assert first.release.facts == second.release.facts
    for part in ("release", "model"):
        ours, theirs = contents(folder / part), contents(tmp_path / part)
        for found in (ours, theirs):
            found["report.html"] = re.sub(rb"\d+ s</td>", b"", found.get("report.html", b""))  # how long it took
        assert ours == theirs


def test_a_release_states_what_the_evaluation_found(stepped):
    folder, released = stepped
    facts, evaluation = load(folder / "release").facts, load_evaluation(load_run(folder / "run"))
    assert released.evaluation == evaluation
    assert facts.not_sure_band == evaluation.not_sure_band
    assert facts.few_known_words == evaluation.few_known_words
    assert facts.evidence_sha256 == load_ngram_table(folder / "release" / "evidence.bin").sha256
    assert facts.metrics == {name: figures.headline() for name, figures in evaluation.asked.items()}


@pytest.mark.parametrize("part", ["vocabulary.txt", "evidence.bin"])
def test_an_interrupted_release_is_refused_by_readers(stepped, tmp_path, part):
    shutil.copytree(stepped[0] / "release", tmp_path / "release")
    content = (tmp_path / "release" / part).read_bytes()
    changed = content.replace(b"horrible", b"terrible") if "voc" in part else content[:-1] + b"\x01"
    atomic.write_bytes(tmp_path / "release" / part, changed)
    with pytest.raises(ReleaseError, match="vocabulary_fingerprint"):
        load(tmp_path / "release")


def test_a_run_is_looked_at_on_test_once_for_its_release(small_run, small_data, tmp_path):
    first = release(small_run.folder, small_data, tmp_path / "release", tmp_path / "model")
    again = release(small_run.folder, small_data, tmp_path / "release", tmp_path / "model")
    assert (first.evaluation.test_looks, again.evaluation.test_looks) == (1, 1)


def test_a_run_that_was_looked_at_on_test_is_not_looked_at_again(evaluated_run, small_data, tmp_path):
    before = contents(evaluated_run.folder)
    released = release(evaluated_run.folder, small_data, tmp_path / "release", tmp_path / "model")
    assert released.evaluation.test_looks == 1
    assert contents(evaluated_run.folder) == before


def test_a_release_looks_at_the_test_with_the_precision_that_was_asked_for(small_run, small_data, tmp_path):
    asked = {"cross-validation": 0.6, "cross-validation crops": 0.55}
    evaluate(small_run.folder, small_data, precision=asked)
    released = release(small_run.folder, small_data, tmp_path / "release", tmp_path / "model")
    assert released.release.facts.precision == asked
    assert released.evaluation.test_looks == 1


def test_a_release_without_evidence_takes_that_of_the_release_before_away(small_data, small_hyperparameters, tmp_path):
    prepare(small_data, tmp_path / "channels", recipe=Recipe(evidence=False))
    train(tmp_path / "channels", tmp_path / "run", small_hyperparameters)
    released_before(tmp_path)
    release(tmp_path / "run", small_data, tmp_path / "release", tmp_path / "model")
    assert not (tmp_path / "release" / "evidence.bin").exists()
    assert load(tmp_path / "release").encoder.ngram_table is None


def test_reviews_without_a_test_make_a_release_too(small_slots, tmp_path):
    rows = "".join(f"a good film {i},1\na bad film {i},0\n" for i in range(100))
    (tmp_path / "own.csv").write_text("review,label\n" + rows)
    collect(tmp_path / "own.csv", tmp_path / "data")
    prepare(tmp_path / "data", tmp_path / "channels", slots=small_slots)
    train(
        tmp_path / "channels",
        tmp_path / "run",
        with_settings("default", ("num_round=20", "min_child_weight=1", "eta=0.3")),
    )
    released = release(tmp_path / "run", tmp_path / "data", tmp_path / "release", tmp_path / "model")
    assert list(released.release.facts.metrics) == ["cross-validation", "cross-validation crops"]
    assert released.evaluation.test_looks == 0
    assert released.release.facts == load(tmp_path / "release").facts


def test_a_model_of_another_vocabulary_is_refused(small_run, small_data, tmp_path):
    booster = xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix([[1.0, 0.0], [0.0, 1.0]], [1, 0]), 1)
    before = released_before(tmp_path / "packaged")
    with_model(small_run, booster)
    with pytest.raises(RunError, match="reads 2 columns"):
        release(small_run.folder, small_data, tmp_path / "packaged/release", tmp_path / "packaged/model")
    assert contents(tmp_path / "packaged") == before


def test_a_model_that_tells_a_gap_from_a_zero_is_refused_and_what_is_packaged_stays(
    small_data, small_hyperparameters, tmp_path
):
    prepare(small_data, tmp_path / "channels", recipe=Recipe(evidence=False))
    train(tmp_path / "channels", tmp_path / "run", small_hyperparameters)
    run = load_run(tmp_path / "run")
    of_a_fold, _ = fit(tmp_path / "channels" / pair_of(0), parse(small_hyperparameters))  # as xgboost makes it
    assert of_a_fold.num_features() == run.encoder.columns
    with_model(run, of_a_fold)
    before = released_before(tmp_path / "packaged")
    with pytest.raises(RunError, match=r"tells a missing word column from a zero one\. Train it again"):
        release(run.folder, small_data, tmp_path / "packaged/release", tmp_path / "packaged/model")
    assert contents(tmp_path / "packaged") == before
    assert not (run.folder / "evaluation.json").exists()  # nobody looked at the test


def test_evidence_of_another_preparation_is_refused(small_run, small_data, tmp_path):
    stranger = Encoder(small_run.encoder.vocabulary, None)
    write_run(
        small_run.folder, small_run.record, stranger, small_run.model, (small_run.folder / "held-out.json").read_bytes()
    )
    before = released_before(tmp_path / "packaged")
    with pytest.raises(RunError, match="is not the vocabulary this run was trained with"):
        release(small_run.folder, small_data, tmp_path / "packaged/release", tmp_path / "packaged/model")
    assert contents(tmp_path / "packaged") == before


def test_a_model_of_another_xgboost_is_refused(small_run, small_data, tmp_path):
    versions = {**small_run.record.versions, "xgboost": "3.2.0"}
    (small_run.folder / "run.json").write_text(json.dumps(asdict(replace(small_run.record, versions=versions))))
    with pytest.raises(RunError, match=r"trained with xgboost 3\.2\.0; sagemaker-xgboost:3\.0-5 has 3\.0\.5"):
        release(small_run.folder, small_data, tmp_path / "release", tmp_path / "model")
