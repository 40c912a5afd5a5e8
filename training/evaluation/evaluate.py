"""The `evaluate` step: a run's figures from cross-validation and, on request, on the official test.

The not-sure band and the threshold for few known words are chosen on out-of-fold predictions, so the official test is
not needed for any choice. Each evaluation on it is counted in the run's folder, because its figures mean less with
every evaluation that leads to another attempt. The `release` step evaluates on it if that has not been done.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from rich.console import Console

from training import atomic, locks
from training.data.columns import ColumnChoice
from training.data.excerpts import excerpts_of
from training.data.labelled import KNOWN_NAMES, NoteCallback, ignore_note, read_labelled
from training.data.reviews import REVIEWS_NAME, DataError, Review, ShortText, read, read_manifest
from training.data.short_texts import labelled_sentences
from training.data.splits import Splits, assign
from training.evaluation.metrics import Figures, measure
from training.evaluation.predictions import (
    Predict,
    ScoredReviews,
    ScoredSplit,
    empty_score,
    out_of_fold_predictions,
    predictor,
    score_reviews,
    score_test,
)
from training.evaluation.thresholds import (
    PRECISION,
    SENTENCE_PRECISION,
    SHORT_PRECISION,
    PrecisionTarget,
    few_known_words,
    not_sure_band,
)
from training.model.run_folder import Run, RunError, load_run
from training.progress import ProgressCallback, silent, table

EVALUATION_NAME = "evaluation.json"
HELD_OUT, HELD_OUT_EXCERPTS = "cross-validation", "cross-validation crops"  # as stored: an excerpt was called a crop
HELD_OUT_SENTENCES = "cross-validation sentences"
TEST, TEST_EXCERPTS, TEST_SENTENCES = "test", "test crops", "test sentences"
DEFAULT_PRECISION = {
    HELD_OUT: PRECISION,
    HELD_OUT_EXCERPTS: SHORT_PRECISION,
    HELD_OUT_SENTENCES: SENTENCE_PRECISION,
}
QUOTED_CHARACTERS = 400


@dataclass(frozen=True)
class Evaluation:
    """The figures of a run.

    `figures` has those of "cross-validation" and, once it was used, of "test"; for a run that was trained on excerpts
    also those of one excerpt per review. `test_looks` counts the evaluations of this model on the official test. The
    band and the threshold are chosen on out-of-fold predictions; `precision` has the band's targets there.
    """

    run: str
    model_sha256: str
    data_fingerprint: str
    not_sure_band: tuple[float, float]
    few_known_words: float
    precision: dict[str, float]
    test_looks: int
    figures: dict[str, Figures]

    def dumps(self) -> str:
        """Return the text of `evaluation.json`, where the figures are named `asked`."""
        stored = asdict(self)
        stored["asked"] = stored.pop("figures")
        return json.dumps(stored, indent=1) + "\n"


def loads_evaluation(text: str) -> Evaluation:
    """Parse what `Evaluation.dumps` returned; raises `ValueError`, `TypeError` or `KeyError`."""
    stored = json.loads(text)
    stored["figures"] = {name: Figures(**figures) for name, figures in stored.pop("asked").items()}
    low, high = stored["not_sure_band"]
    return Evaluation(**{**stored, "not_sure_band": (low, high)})


def load_evaluation(run: Run) -> Evaluation | None:
    """Read the evaluation in a run's folder; None if there is none, or if it is of another model or other reviews."""
    path = run.folder / EVALUATION_NAME
    try:
        evaluation = loads_evaluation(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise RunError(f"{path} cannot be read ({error}). Remove it and evaluate again.") from error
    source = (evaluation.model_sha256, evaluation.data_fingerprint)
    return evaluation if source == (run.record.model_sha256, run.record.prepared.data_fingerprint) else None


def load_run_of(run_path: Path, data_folder: Path) -> Run:
    """Read a run; raises `RunError` unless it was trained on the reviews in the folder."""
    run = load_run(run_path)
    if read_manifest(data_folder).fingerprint != run.record.prepared.data_fingerprint:
        raise RunError(f"Run {run_path} was not trained on the reviews in {data_folder}. Train it again.")
    return run


def evaluate(
    run_path: Path,
    data_folder: Path,
    include_test: bool = False,
    precision: Mapping[str, float] = DEFAULT_PRECISION,
    tick: ProgressCallback = silent,
    predict: Predict | None = None,
) -> Evaluation:
    """Evaluate a run and write `evaluation.json` into its folder.

    `predict` scores the test; by default the run's model does, on this machine. Raises `RunError` for a run that was
    trained on other reviews, `DataError` for reviews without the test that is requested, and `InUseError` if another
    command is using a folder.
    """
    with locks.writing(run_path), locks.reading(data_folder):
        return _evaluate(run_path, data_folder, include_test, precision, tick, predict)


def _evaluate(
    run_path: Path,
    data_folder: Path,
    include_test: bool,
    precision: Mapping[str, float],
    tick: ProgressCallback,
    predict: Predict | None,
) -> Evaluation:
    """Evaluate a run, in locked folders."""
    run = load_run_of(run_path, data_folder)
    if include_test and not read_manifest(data_folder).total("test"):
        raise DataError(f"The reviews in {data_folder} have no test split. Evaluate without it.")
    earlier = load_evaluation(run)
    local = predictor(run.model, run.encoder.columns)
    scored = _score_cross_validation(run, data_folder / REVIEWS_NAME, tick)
    if include_test:
        scored |= _score_test(run, data_folder / REVIEWS_NAME, predict or local, tick, at_once=predict is not None)
    evaluation = _measure(run, scored, precision, empty_score(local, run.encoder))
    _quote_mistakes(data_folder / REVIEWS_NAME, evaluation.figures)
    if earlier:
        evaluation = _continue(earlier, evaluation)
    if load_run_of(run_path, data_folder).record != run.record:
        raise RunError(f"Run {run_path} was trained again while it was evaluated. Evaluate it again.")
    atomic.write_text(run_path / EVALUATION_NAME, evaluation.dumps())
    return evaluation


def _score_cross_validation(run: Run, path: Path, tick: ProgressCallback) -> dict[str, ScoredReviews]:
    """Return the scored reviews, excerpts and sentences of cross-validation."""
    splits, with_excerpts = _splits_of(run, path)
    held_out = out_of_fold_predictions(run.held_out, run.encoder, path, splits, with_excerpts, tick)
    return _named(held_out, HELD_OUT, HELD_OUT_EXCERPTS, HELD_OUT_SENTENCES)


def _score_test(
    run: Run, path: Path, predict: Predict, tick: ProgressCallback, at_once: bool
) -> dict[str, ScoredReviews]:
    """Return the scored reviews, excerpts and sentences of the test."""
    splits, with_excerpts = _splits_of(run, path)
    test = score_test(predict, run.encoder, path, splits, with_excerpts, tick, at_once)
    return _named(test, TEST, TEST_EXCERPTS, TEST_SENTENCES)


def _splits_of(run: Run, path: Path) -> tuple[Splits, bool]:
    """Return the splits of a run's reviews, and whether excerpts of them are evaluated too."""
    recipe = run.record.prepared.recipe
    return assign(path, recipe["reviews"]), bool(recipe["crops"])


def _named(split: ScoredSplit, *names: str) -> dict[str, ScoredReviews]:
    """Name the parts of a split that it has: its reviews, its excerpts and its sentences."""
    parts = zip(names, (split.reviews, split.excerpts, split.sentences), strict=True)
    return {name: part for name, part in parts if part}


def _measure(
    run: Run, scored: Mapping[str, ScoredReviews], precision: Mapping[str, float], score_of_empty: float
) -> Evaluation:
    """Choose the band and the threshold on out-of-fold predictions, then measure everything with that band."""
    wanted = {name: precision[name] for name in precision if name in scored}
    targets = [PrecisionTarget(scored[name].probabilities, scored[name].labels, wanted[name]) for name in wanted]
    band = not_sure_band(targets, score_of_empty)
    return Evaluation(
        run=run.folder.name,
        model_sha256=run.record.model_sha256,
        data_fingerprint=run.record.prepared.data_fingerprint,
        not_sure_band=band,
        few_known_words=few_known_words(scored[HELD_OUT].known_shares),
        precision=wanted,
        test_looks=int(TEST in scored),
        figures={name: measure(each, band) for name, each in scored.items()},
    )


def _quote_mistakes(path: Path, figures: Mapping[str, Figures]) -> None:
    """Add the beginning of the text that was scored, a review or an excerpt, to each mistake."""
    mistakes: dict[str, list[tuple[dict[str, Any], bool]]] = defaultdict(list)  # id -> (mistake, of an excerpt)
    for name, each in figures.items():
        for mistake in each.mistakes:
            mistakes[mistake["id"]].append((mistake, name in (HELD_OUT_EXCERPTS, TEST_EXCERPTS)))
    sentences = (sentence for split in ("train", "test") for sentence in labelled_sentences(path.parent, split))
    texts: Iterable[Review | ShortText] = chain(read(path), sentences)
    for text in texts:
        for mistake, of_excerpt in mistakes.get(text.id, ()):
            scored = excerpts_of(text.id, text.text, 1)[0] if of_excerpt else text.text
            quoted = " ".join(scored.replace("<br />", " ").split())
            mistake["text"] = quoted[:QUOTED_CHARACTERS] + ("…" if len(quoted) > QUOTED_CHARACTERS else "")


def _continue(earlier: Evaluation, evaluation: Evaluation) -> Evaluation:
    """Add up the evaluations on the test, and keep its earlier figures if they were measured with the same band."""
    figures = evaluation.figures
    if earlier.not_sure_band == evaluation.not_sure_band:
        figures = {**earlier.figures, **figures}
    return replace(evaluation, test_looks=earlier.test_looks + evaluation.test_looks, figures=figures)


def evaluate_labelled(
    run_path: Path,
    file: Path,
    predict: Predict | None = None,
    tick: ProgressCallback = silent,
    choice: ColumnChoice = KNOWN_NAMES,
    note: NoteCallback = ignore_note,
) -> Evaluation:
    """Measure a run on a labelled file with the band that was chosen for the run; writes nothing.

    `choice` and `note` are those of `read_labelled`.
    Raises `RunError` for a run that was not evaluated, `DataError` for a file without reviews of both labels.
    """
    run = load_run(run_path)
    evaluation = load_evaluation(run)
    if not evaluation:
        raise RunError(f"Run {run_path} has no not-sure band yet. First run `verdict evaluate`.")
    reviews = list(read_labelled(file, tick, choice, note))
    if {review.label for review in reviews} != {0, 1}:
        raise DataError(f"{file} needs reviews of both labels, positive and negative, to be measured on.")
    scored = score_reviews(predict or predictor(run.model, run.encoder.columns), run.encoder, reviews)
    return replace(evaluation, test_looks=0, figures={file.name: measure(scored, evaluation.not_sure_band)})


def title_of(name: str) -> str:
    """Return the name of a set of reviews for people: "test crops" -> "test excerpts"."""
    return name.replace("crops", "excerpts")


def summary_rows(evaluation: Evaluation) -> list[tuple[object, ...]]:
    """Return the lines of the summary table: a figure's name, then its value for each set of reviews."""
    sets = list(evaluation.figures.values())
    return [
        ("reviews", *(f"{each.reviews:,}" for each in sets)),
        ("accuracy, %", *(f"{each.accuracy * 100:.2f} ± {each.accuracy_error * 100:.2f}" for each in sets)),
        (
            "spread of folds, %",
            *(f"± {each.accuracy_spread * 100:.2f}" if each.accuracy_spread else "" for each in sets),
        ),
        ("AUC", *(f"{each.auc:.4f}" for each in sets)),
        ("log loss", *(f"{each.log_loss:.4f}" for each in sets)),
        ("calibration error, %", *(f"{each.calibration_error * 100:.2f}" for each in sets)),
        ("false positives", *(f"{each.confusion['negative']['positive']:,}" for each in sets)),
        ("false negatives", *(f"{each.confusion['positive']['negative']:,}" for each in sets)),
        ("coverage, %", *(f"{each.answered * 100:.1f}" for each in sets)),
        ("precision at coverage, %", *(f"{each.answered_accuracy * 100:.2f}" for each in sets)),
    ]


def print_evaluation(console: Console, evaluation: Evaluation) -> None:
    """Print the summary of an evaluation."""
    print_figures(console, evaluation)
    times = "once" if evaluation.test_looks == 1 else f"{evaluation.test_looks} times"
    console.print(
        f"Evaluated on the official test {times}." if evaluation.test_looks else "Not evaluated on the official test."
    )


def print_figures(console: Console, evaluation: Evaluation) -> None:
    """Print the table of an evaluation, and its band."""
    low, high = evaluation.not_sure_band
    headings = ("", *map(title_of, evaluation.figures))
    console.print(table(f"Run {evaluation.run}", summary_rows(evaluation), headings))
    console.print(f"Not sure between {low} and {high}; few known words below {evaluation.few_known_words:.0%}.")
