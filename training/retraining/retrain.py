"""Step `retrain`: old and new reviews -> a new model by the same recipe, and the decision of the gate about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training import locks
from training.checking.new_reviews import NewReview
from training.data.labelled import NoteCallback, ignore_note
from training.data.reviews import REVIEWS_NAME, DataError, read_manifest
from training.data.splits import assign
from training.evaluation.evaluate import Evaluation, evaluate
from training.evaluation.packaged_model import PackagedModel, ScoringModel
from training.evaluation.predictions import predictor, score_reviews, score_test
from training.features.prepare import FeatureRecipe, prepare
from training.model.run_folder import RUNS_FOLDER, Run, load_run
from training.model.train import train
from training.progress import ProgressCallback, silent
from training.retraining.combine import split_new, write_combined
from training.retraining.gate import MARGIN, Condition, Gate, behaves, better, calibrated, not_worse, write_gate

TEST, NEW = "official test", "new reviews"
DATA_NAME, CHANNELS_NAME = "data", "channels"  # in the run's folder
STEPS = ("Counting terms", "Learning weights", "Writing rows", "Cross-validating", "Training", "Scoring")


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
    *,
    recipe: FeatureRecipe,
    strings: dict[str, str],
    new_vocabulary: bool = True,
    margin: float = MARGIN,
    override: str = "",
    ticks: Sequence[ProgressCallback] = (silent,) * len(STEPS),
    note: NoteCallback = ignore_note,
) -> Retrained:
    """Train a run on old data with new reviews, compare it with the packaged release, and write the gate's decision.

    The run's folder also gets the joined data. Without `new_vocabulary`, the vocabulary and the n-gram weights are
    learned from the old data alone, so that they are the packaged release's. `note` gets a warning if the packaged
    release was trained on other data. Raises `DataError` for old data without an official test or in the run's own
    folder, for too few new reviews, or if the same vocabulary cannot be learned again, and `InUseError` if another
    command is using a folder.
    """
    if data_folder.resolve().is_relative_to(run_path.resolve()):
        raise DataError(
            f"The run {run_path.name} would overwrite the reviews in {data_folder} that it learns from. Choose another "
            "name for it: --name retrained-2"
        )
    with locks.writing(run_path), locks.reading(data_folder):
        return _retrain(
            reviews, data_folder, run_path, packaged, recipe, strings, new_vocabulary, margin, override, ticks, note
        )


def _retrain(
    reviews: Sequence[NewReview],
    data_folder: Path,
    run_path: Path,
    packaged: PackagedModel,
    recipe: FeatureRecipe,
    strings: dict[str, str],
    new_vocabulary: bool,
    margin: float,
    override: str,
    ticks: Sequence[ProgressCallback],
    note: NoteCallback,
) -> Retrained:
    """Retrain and write the gate's decision, in locked folders."""
    manifest = read_manifest(data_folder)
    if not manifest.total("test"):
        raise DataError(f"The reviews in {data_folder} have no official test, which the gate needs.")
    if manifest.fingerprint != packaged.release.facts.data_fingerprint:
        note(
            f"The packaged release was trained on other reviews than those in {data_folder}; the new model will not "
            f"learn from them. If the release was retrained itself, use its data: --data {RUNS_FOLDER}/NAME/{DATA_NAME}"
        )
    new = split_new(reviews, data_folder, note)
    combined, channels = run_path / DATA_NAME, run_path / CHANNELS_NAME
    write_combined(data_folder, new.training, combined)
    prepared = prepare(
        combined, channels, (ticks[0], ticks[1], ticks[2]), recipe, learn_from=None if new_vocabulary else data_folder
    )
    if not new_vocabulary and prepared.vocabulary_fingerprint != packaged.release.encoder.fingerprint:
        raise DataError(
            f"The packaged release was not prepared from {data_folder} with this recipe and this version of the code, "
            "so its vocabulary cannot be kept. Retrain with a new vocabulary."
        )
    train(channels, run_path, strings, ticks[3], ticks[4])
    evaluation = evaluate(run_path, combined, include_test=True, tick=ticks[5])
    run = load_run(run_path)
    model = ScoringModel(run.encoder, predictor(run.model, run.encoder.columns))
    conditions = [
        *_on_test(packaged, model, combined, margin),
        *_on_new(packaged, model, new.judged),
        *behaves(packaged, model),
    ]
    gate = Gate(packaged.release.release_id, len(new.training), len(new.judged), conditions, override)
    write_gate(run_path, gate)
    return Retrained(run, evaluation, gate)


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
