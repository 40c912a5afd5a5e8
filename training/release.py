"""The `release` step: a run becomes the packaged release, which the app ships and the local endpoint serves.

`chalicelib/release/release.json` is written last. It has the SHA-256 of the vocabulary, the n-gram table, the
model and the report, so that until then every reader refuses the mix of two releases.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from chalicelib.encoder import ENCODING
from chalicelib.release import (
    FACTS_NAME,
    FORMAT_VERSION,
    NGRAM_TABLE_NAME,
    PACKAGED,
    REPORT_NAME,
    VOCABULARY_NAME,
    Release,
    ReleaseFacts,
    load,
)
from chalicelib.text import CLEANER_VERSION
from training import atomic, locks
from training.data.reviews import read_manifest
from training.evaluation.evaluate import (
    DEFAULT_PRECISION,
    TEST,
    Evaluation,
    evaluate,
    load_evaluation,
)
from training.evaluation.packaged_model import FIGURES_NAME, MODEL_FOLDER
from training.evaluation.predictions import load_booster
from training.features.channels import write_ngram_table
from training.model import missing_values
from training.model.canary import CANARY_NAME, score_canary
from training.model.container_image import REPOSITORY, TAG
from training.model.run_folder import MODEL_NAME, Run, RunError, load_run
from training.progress import ProgressCallback, silent
from training.retraining.gate import Gate, load_gate

XGBOOST_VERSION = "3.0.5"  # the image's
IMAGE = f"{REPOSITORY}:{TAG}"


@dataclass(frozen=True)
class Released:
    """The packaged release as its readers see it, the evaluation it is based on, and the files written."""

    release: Release
    evaluation: Evaluation
    files: Sequence[Path]


def release(
    run_path: Path,
    data_folder: Path,
    release_folder: Path = PACKAGED,
    model_folder: Path = MODEL_FOLDER,
    tick: ProgressCallback = silent,
) -> Released:
    """Package a run; raises `RunError` or `ReleaseError` if its parts do not belong together.

    Evaluates the run first, on the test too if the data has one, unless that has been done. Raises
    `InUseError` if another command is using a folder.
    """
    with locks.writing(run_path), locks.reading(data_folder), locks.writing(release_folder):
        return _release(run_path, data_folder, release_folder, model_folder, tick)


def _release(
    run_path: Path, data_folder: Path, release_folder: Path, model_folder: Path, tick: ProgressCallback
) -> Released:
    """Package a run, in locked folders."""
    from training.evaluation.report import render  # matplotlib: slow to import

    run = load_run(run_path)
    _check_model(run)
    gate = load_gate(run_path)
    if gate and not gate.allows_release:
        raise RunError(f"{gate.judgement} Nothing is packaged. `verdict retrain --override REASON` records a reason.")
    evaluation = _final_evaluation(run, data_folder, tick)
    report = render(run, evaluation).encode()
    facts = replace(describe(run, evaluation, gate), report_sha256=hashlib.sha256(report).hexdigest())
    contents = {
        release_folder / VOCABULARY_NAME: run.encoder.vocabulary.dumps().encode(),
        model_folder / MODEL_NAME: run.model,
        release_folder / REPORT_NAME: report,
        model_folder / CANARY_NAME: score_canary(run.model, run.encoder).dumps().encode(),
        model_folder / FIGURES_NAME: evaluation.dumps().encode(),
        release_folder / FACTS_NAME: facts.dumps().encode(),
    }
    write_ngram_table(release_folder, run.encoder)
    for path, content in contents.items():
        atomic.write_bytes(path, content)
    packaged = load(release_folder)
    packaged.check_model((model_folder / MODEL_NAME).read_bytes())
    evidence = [release_folder / NGRAM_TABLE_NAME] if run.encoder.ngram_table else []
    return Released(packaged, evaluation, [*evidence, *contents])


def _check_model(run: Run) -> None:
    """Raise `RunError` unless the model has the encoder's columns, the image's xgboost, and reads missing as zero."""
    trained_with = run.record.versions.get("xgboost")
    if trained_with != XGBOOST_VERSION:
        raise RunError(f"Run {run.folder} was trained with xgboost {trained_with}; {IMAGE} has {XGBOOST_VERSION}.")
    columns = load_booster(run.model).num_features()
    if columns != run.encoder.columns:
        raise RunError(
            f"The model of {run.folder} has {columns} columns, but its vocabulary has {run.encoder.columns}."
        )
    if not missing_values.is_missing_invariant(run.model, 0, run.encoder.first_derived):
        raise RunError(
            f"The model of {run.folder} scores a missing word column differently from a zero one. Run "
            "`verdict train` again, which makes both the same."
        )


def _final_evaluation(run: Run, data_folder: Path, tick: ProgressCallback) -> Evaluation:
    """Return the run's evaluation, on the test too if the data has one, evaluating and reporting it if needed."""
    from training.evaluation.report import write_report  # matplotlib: slow to import

    evaluation = load_evaluation(run)
    if evaluation and TEST in evaluation.figures:
        return evaluation
    has_test = read_manifest(data_folder).total("test") > 0
    if evaluation and not has_test:
        return evaluation
    precision = evaluation.precision if evaluation else DEFAULT_PRECISION
    evaluation = evaluate(run.folder, data_folder, has_test, precision, tick)
    write_report(run, evaluation)
    return evaluation


def describe(run: Run, evaluation: Evaluation, gate: Gate | None = None) -> ReleaseFacts:
    """Return the facts that a release of the run states."""
    return ReleaseFacts(
        format_version=FORMAT_VERSION,
        cleaner_version=CLEANER_VERSION,
        encoding=ENCODING,
        columns=run.encoder.columns,
        vocabulary_fingerprint=run.encoder.fingerprint,
        vocabulary_sha256=hashlib.sha256(run.encoder.vocabulary.dumps().encode()).hexdigest(),
        evidence_sha256=run.encoder.ngram_table.sha256 if run.encoder.ngram_table else None,
        model_sha256=run.record.model_sha256,
        not_sure_band=evaluation.not_sure_band,
        precision=evaluation.precision,
        few_known_words=evaluation.few_known_words,
        xgboost_version=XGBOOST_VERSION,
        image=IMAGE,
        data_fingerprint=run.record.prepared.data_fingerprint,
        hyperparameters=run.record.hyperparameters,
        metrics={name: figures.headline() for name, figures in evaluation.figures.items()},
        gate=gate.as_facts() if gate else None,
    )
