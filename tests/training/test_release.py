import hashlib
import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import xgboost

from chalicelib.encoder import Encoder
from chalicelib.errors import ReleaseError
from chalicelib.ngram_features import load as load_ngram_table
from chalicelib.release import REPORT_NAME, load
from chalicelib.text import words
from training import atomic
from training.data.collect import collect
from training.data.splits import FOLDS
from training.evaluation.evaluate import evaluate, load_evaluation
from training.evaluation.predictions import load_booster, matrix
from training.evaluation.thresholds import PRECISION, SHORT_PRECISION
from training.features.channels import pair_of
from training.features.prepare import FeatureRecipe, prepare
from training.model.hyperparameters import parse, with_settings
from training.model.missing_values import is_missing_invariant
from training.model.run_folder import Run, RunError, load_run, write_run
from training.model.train import fit, train
from training.release import Released, release


def steps(archive: Path, hyperparameters: dict[str, str], slots: int, folder: Path) -> Released:
    """Run every step, from an archive to a release in `folder`."""
    collect(archive, folder / "data")
    prepare(folder / "data", folder / "channels", slots=slots)
    train(folder / "channels", folder / "run", hyperparameters)
    evaluate(folder / "run", folder / "data")
    return release(folder / "run", folder / "data", folder / "release", folder / "model")


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files in a folder: relative path -> content."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def previous_release(folder: Path) -> dict[str, bytes]:
    """Write the files of a previous release; return their content."""
    for name in ("release/release.json", "release/vocabulary.txt", "release/evidence.bin", "model/xgboost-model"):
        atomic.write_text(folder / name, f"{name} of the previous release")
    return contents(folder)


def replace_model(run: Run, booster: xgboost.Booster) -> None:
    """Write a run again with another model and a record that fits it."""
    model = bytes(booster.save_raw("ubj"))
    record = replace(run.record, model_sha256=hashlib.sha256(model).hexdigest())
    write_run(run.folder, record, run.encoder, model, (run.folder / "held-out.json").read_bytes())


@pytest.fixture(scope="module")
def stepped(
    small_archive: Path,
    small_hyperparameters: dict[str, str],
    small_slots: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Released]:
    """A folder in which every step was run, and the release that the last step returned."""
    folder = tmp_path_factory.mktemp("steps")
    return folder, steps(small_archive, small_hyperparameters, small_slots, folder)


def test_the_steps_lead_from_an_archive_to_a_release(stepped: tuple[Path, Released]) -> None:
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


def test_the_same_steps_give_the_same_release(
    stepped: tuple[Path, Released],
    small_archive: Path,
    small_hyperparameters: dict[str, str],
    small_slots: int,
    tmp_path: Path,
) -> None:
    folder, first = stepped
    second = steps(small_archive, small_hyperparameters, small_slots, tmp_path)
    assert first.release.facts == second.release.facts
    for part in ("release", "model"):
        assert contents(folder / part) == contents(tmp_path / part)


def test_a_release_refuses_the_report_of_another(stepped: tuple[Path, Released], tmp_path: Path) -> None:
    shutil.copytree(stepped[0] / "release", tmp_path / "release")
    report = tmp_path / "release" / REPORT_NAME
    report.write_text(report.read_text(encoding="utf-8").replace("Cross-validation", "Test"), encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"report\.html is not the report of release"):
        load(tmp_path / "release")


def test_a_release_states_the_figures_of_its_evaluation(stepped: tuple[Path, Released]) -> None:
    folder, released = stepped
    facts, evaluation = load(folder / "release").facts, load_evaluation(load_run(folder / "run"))
    assert evaluation
    assert released.evaluation == evaluation
    assert facts.not_sure_band == evaluation.not_sure_band
    assert facts.few_known_words == evaluation.few_known_words
    assert facts.evidence_sha256 == load_ngram_table(folder / "release" / "evidence.bin").sha256
    assert facts.metrics == {name: figures.headline() for name, figures in evaluation.figures.items()}


@pytest.mark.parametrize("part", ["vocabulary.txt", "evidence.bin"])
def test_readers_refuse_an_interrupted_release(stepped: tuple[Path, Released], tmp_path: Path, part: str) -> None:
    shutil.copytree(stepped[0] / "release", tmp_path / "release")
    content = (tmp_path / "release" / part).read_bytes()
    changed = content.replace(b"horrible", b"terrible") if "voc" in part else content[:-1] + b"\x01"
    atomic.write_bytes(tmp_path / "release" / part, changed)
    with pytest.raises(ReleaseError, match="vocabulary_fingerprint"):
        load(tmp_path / "release")


def test_a_run_is_evaluated_on_the_test_once_for_its_release(small_run: Run, small_data: Path, tmp_path: Path) -> None:
    first = release(small_run.folder, small_data, tmp_path / "release", tmp_path / "model")
    again = release(small_run.folder, small_data, tmp_path / "release", tmp_path / "model")
    assert (first.evaluation.test_looks, again.evaluation.test_looks) == (1, 1)


def test_a_run_with_test_figures_is_not_evaluated_again(evaluated_run: Run, small_data: Path, tmp_path: Path) -> None:
    before = contents(evaluated_run.folder)
    released = release(evaluated_run.folder, small_data, tmp_path / "release", tmp_path / "model")
    assert released.evaluation.test_looks == 1
    assert contents(evaluated_run.folder) == before


def test_a_release_keeps_the_precision_of_an_earlier_evaluation(
    small_run: Run, small_data: Path, tmp_path: Path
) -> None:
    precision = {"cross-validation": 0.6, "cross-validation crops": 0.55}
    evaluate(small_run.folder, small_data, precision=precision)
    released = release(small_run.folder, small_data, tmp_path / "release", tmp_path / "model")
    assert released.release.facts.precision == precision
    assert released.evaluation.test_looks == 1


def test_a_release_without_ngram_features_removes_earlier_ones(
    small_data: Path, small_hyperparameters: dict[str, str], tmp_path: Path
) -> None:
    prepare(small_data, tmp_path / "channels", recipe=FeatureRecipe(ngrams=False))
    train(tmp_path / "channels", tmp_path / "run", small_hyperparameters)
    previous_release(tmp_path)
    release(tmp_path / "run", small_data, tmp_path / "release", tmp_path / "model")
    assert not (tmp_path / "release" / "evidence.bin").exists()
    assert load(tmp_path / "release").encoder.ngram_table is None


def test_reviews_without_a_test_can_be_released(small_slots: int, tmp_path: Path) -> None:
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


def test_a_model_of_another_vocabulary_is_refused(small_run: Run, small_data: Path, tmp_path: Path) -> None:
    booster = xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix([[1.0, 0.0], [0.0, 1.0]], [1, 0]), 1)
    before = previous_release(tmp_path / "packaged")
    replace_model(small_run, booster)
    with pytest.raises(RunError, match="has 2 columns"):
        release(small_run.folder, small_data, tmp_path / "packaged/release", tmp_path / "packaged/model")
    assert contents(tmp_path / "packaged") == before


def test_a_model_that_treats_missing_unlike_zero_is_refused(
    small_data: Path, small_hyperparameters: dict[str, str], tmp_path: Path
) -> None:
    """The packaged release and the run stay unchanged."""
    prepare(small_data, tmp_path / "channels", recipe=FeatureRecipe(ngrams=False))
    train(tmp_path / "channels", tmp_path / "run", small_hyperparameters)
    run = load_run(tmp_path / "run")
    fold_models = (fit(tmp_path / "channels" / pair_of(fold), parse(small_hyperparameters))[0] for fold in range(FOLDS))
    fold_model = next(  # as xgboost trains it: most distinguish the two
        model for model in fold_models if not is_missing_invariant(bytes(model.save_raw("ubj")), 0, run.encoder.columns)
    )
    assert fold_model.num_features() == run.encoder.columns
    replace_model(run, fold_model)
    before = previous_release(tmp_path / "packaged")
    with pytest.raises(RunError, match="scores a missing word column differently from a zero"):
        release(run.folder, small_data, tmp_path / "packaged/release", tmp_path / "packaged/model")
    assert contents(tmp_path / "packaged") == before
    assert not (run.folder / "evaluation.json").exists()


def test_ngram_features_of_another_preparation_are_refused(small_run: Run, small_data: Path, tmp_path: Path) -> None:
    other = Encoder(small_run.encoder.vocabulary, None)
    write_run(
        small_run.folder, small_run.record, other, small_run.model, (small_run.folder / "held-out.json").read_bytes()
    )
    before = previous_release(tmp_path / "packaged")
    with pytest.raises(RunError, match="is not the vocabulary this run was trained with"):
        release(small_run.folder, small_data, tmp_path / "packaged/release", tmp_path / "packaged/model")
    assert contents(tmp_path / "packaged") == before


def test_a_model_of_another_xgboost_is_refused(small_run: Run, small_data: Path, tmp_path: Path) -> None:
    versions = {**small_run.record.versions, "xgboost": "3.2.0"}
    (small_run.folder / "run.json").write_text(json.dumps(asdict(replace(small_run.record, versions=versions))))
    with pytest.raises(RunError, match=r"trained with xgboost 3\.2\.0; sagemaker-xgboost:3\.0-5 has 3\.0\.5"):
        release(small_run.folder, small_data, tmp_path / "release", tmp_path / "model")
