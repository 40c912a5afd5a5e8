"""Step `retrain`: old and new reviews -> a new model by the same recipe, and the decision of the gate about it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from training import locks
from training.checking.new_reviews import NewReview
from training.data.labelled import NoteCallback, ignore_note
from training.data.reviews import REVIEWS_NAME, DataError, read_manifest
from training.data.splits import assign
from training.evaluation.evaluate import Evaluation, evaluate
from training.evaluation.packaged_model import PackagedModel, ScoringModel
from training.evaluation.predictions import predictor, score_reviews, score_test
from training.features.prepare import DEFAULT_RECIPE, FeatureRecipe, prepare
from training.model.run_folder import RUNS_FOLDER, Run, load_run
from training.model.train import train
from training.progress import ProgressCallback, silent
from training.retraining.combine import split_new, write_combined
from training.retraining.gate import (
    MARGIN,
    UNDECIDED,
    Condition,
    Gate,
    behaves,
    better,
    calibrated,
    not_worse,
    write_gate,
)

TEST, NEW = "official test", "new reviews"
DATA_NAME, CHANNELS_NAME = "data", "channels"  # in the run's folder
STEPS = ("Counting terms", "Learning weights", "Writing rows", "Cross-validating", "Training", "Scoring")


@dataclass(frozen=True)
class RetrainOptions:
    """How a run is trained, and what its gate allows.

    `hyperparameters` are those of `train`. Without `new_vocabulary`, the vocabulary and the n-gram weights are learned
    from the old data alone, so that they are the packaged release's. `margin` (0..1) is the accuracy that the official
    test may lose; `override` is the reason for which a failed gate is ignored, "" for none.
    """

    hyperparameters: dict[str, str]
    recipe: FeatureRecipe = DEFAULT_RECIPE
    new_vocabulary: bool = True
    margin: float = MARGIN
    override: str = ""


@dataclass(frozen=True)
class Retrained:
    """A retrained run, its evaluation, and the gate's decision."""

    run: Run
    evaluation: Evaluation
    gate: Gate


def retrain(
    reviews: Sequence[NewReview],
    data_folder: Path,
    run_path: Path,
    packaged: PackagedModel,
    options: RetrainOptions,
    ticks: Sequence[ProgressCallback] = (silent,) * len(STEPS),
    note: NoteCallback = ignore_note,
) -> Retrained:
    """Train a run on old data with new reviews, compare it with the packaged release, and write the gate's decision.

    The run's folder also gets the joined data. `note` gets a warning if the packaged release was trained on other data.
    Raises `DataError` for old data without an official test or in the run's own folder, for too few new reviews, or if
    the same vocabulary cannot be learned again, and `InUseError` if another command is using a folder.
    """
    if data_folder.resolve().is_relative_to(run_path.resolve()):
        raise DataError(
            f"The run {run_path.name} would overwrite the reviews in {data_folder} that it learns from. Choose another "
            "name for it: --name retrained-2"
        )
    with locks.writing(run_path), locks.reading(data_folder):
        _check_old_data(data_folder, packaged, note)
        new = split_new(reviews, data_folder, note)
        undecided = Gate(packaged.release.release_id, len(new.training), len(new.judged), [UNDECIDED])
        write_gate(run_path, undecided)  # so that an interrupted run cannot be released
        write_combined(data_folder, new.training, run_path / DATA_NAME)
        run, evaluation = _train(data_folder, run_path, packaged, options, ticks)
        conditions = _compare(packaged, run, run_path / DATA_NAME, new.judged, options.margin)
        gate = replace(undecided, conditions=conditions, override=options.override)
        write_gate(run_path, gate)
    return Retrained(run, evaluation, gate)


def _check_old_data(data_folder: Path, packaged: PackagedModel, note: NoteCallback) -> None:
    """Raise `DataError` if old data has no official test; warn if the packaged release was trained on other data."""
    manifest = read_manifest(data_folder)
    if not manifest.total("test"):
        raise DataError(f"The reviews in {data_folder} have no official test, which the gate needs.")
    if manifest.fingerprint != packaged.release.facts.data_fingerprint:
        note(
            f"The packaged release was trained on other reviews than those in {data_folder}; the new model will not "
            f"learn from them. If the release was retrained itself, use its data: --data {RUNS_FOLDER}/NAME/{DATA_NAME}"
        )


def _train(
    data_folder: Path,
    run_path: Path,
    packaged: PackagedModel,
    options: RetrainOptions,
    ticks: Sequence[ProgressCallback],
) -> tuple[Run, Evaluation]:
    """Train and evaluate a run on its joined data; raises `DataError` if the vocabulary cannot be kept as requested."""
    counting, learning, writing, validating, training, scoring = ticks
    combined, channels = run_path / DATA_NAME, run_path / CHANNELS_NAME
    learn_from = None if options.new_vocabulary else data_folder
    prepared = prepare(combined, channels, (counting, learning, writing), options.recipe, learn_from=learn_from)
    if learn_from and prepared.vocabulary_fingerprint != packaged.release.encoder.fingerprint:
        raise DataError(
            f"The packaged release was not prepared from {data_folder} with this recipe and this version of the code, "
            "so its vocabulary cannot be kept. Retrain with a new vocabulary."
        )
    train(channels, run_path, options.hyperparameters, validating, training)
    evaluation = evaluate(run_path, combined, include_test=True, tick=scoring)
    return load_run(run_path), evaluation


def _compare(
    packaged: ScoringModel, run: Run, combined: Path, judged: Sequence[NewReview], margin: float
) -> list[Condition]:
    """Return the gate's conditions, each with the figures of the packaged model and of the run."""
    model = ScoringModel(run.encoder, predictor(run.model, run.encoder.columns))
    return [
        *_on_test(packaged, model, combined, margin),
        *_on_new(packaged, model, judged),
        *behaves(packaged, model),
    ]


def _on_test(packaged: ScoringModel, new: ScoringModel, data_folder: Path, margin: float) -> list[Condition]:
    """Compare two models on the official test."""
    path = data_folder / REVIEWS_NAME
    splits = assign(path)
    before, after = (
        score_test(model.predict, model.encoder, path, splits, with_excerpts=False).reviews for model in (packaged, new)
    )
    return [not_worse(TEST, before, after, margin), calibrated(TEST, before, after)]


def _on_new(packaged: ScoringModel, new: ScoringModel, judged: Sequence[NewReview]) -> list[Condition]:
    """Compare two models on new reviews that neither has seen."""
    reviews = [review.as_review(number) for number, review in enumerate(judged)]
    before, after = (score_reviews(model.predict, model.encoder, reviews) for model in (packaged, new))
    return [better(NEW, before, after), calibrated(NEW, before, after)]
