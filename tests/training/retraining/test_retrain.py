"""Retraining on old and new reviews, and the gate before the release."""

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from chalicelib.release import parse_facts
from cli.main import verdict
from cli.model.retrain import show
from training.checking.new_reviews import NewReview, read_new_reviews
from training.data.collect import collect_generated
from training.data.review_rows import ReviewRow
from training.data.reviews import REVIEWS_NAME, DataError, digest_of, read, read_manifest
from training.data.splits import TENTHS, assign
from training.evaluation.packaged_model import PackagedModel, load_packaged_model, predictor
from training.evaluation.predictions import Floats, ScoredReviews
from training.features.channels import load_prepared
from training.features.prepare import prepare
from training.model.run_folder import Run, RunError
from training.progress import silent
from training.release import release
from training.retraining.combine import lines_of, split_new, write_combined
from training.retraining.gate import Condition, Gate, behaves, better, calibrated, load_gate, not_worse, write_gate
from training.retraining.retrain import Retrained, RetrainOptions, retrain


@pytest.fixture(scope="module")
def drifted(tmp_path_factory: pytest.TempPathFactory) -> list[NewReview]:
    """Newly labelled reviews with words that the old data lacks."""
    folder = tmp_path_factory.mktemp("drifted")
    collect_generated(150, folder, drifted=True)
    return [
        NewReview(review.label, ReviewRow(review.id, review.text, f"2026-{1 + review.number % 11:02}-01T00:00:00Z"))
        for review in read(folder / REVIEWS_NAME)
        if review.split == "train"
    ]


@pytest.fixture(scope="module")
def packaged(evaluated_run: Run, small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> PackagedModel:
    """A release of the old data alone."""
    folder = tmp_path_factory.mktemp("packaged")
    released = release(evaluated_run.folder, small_data, folder / "release", folder / "model").release
    return PackagedModel(released.encoder, predictor(evaluated_run.model, released.encoder.columns), released)


@pytest.fixture(scope="module")
def retrained(
    drifted: list[NewReview],
    small_data: Path,
    packaged: PackagedModel,
    small_hyperparameters: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Retrained:
    folder = tmp_path_factory.mktemp("runs") / "retrained"
    return retrain(drifted, small_data, folder, packaged, RetrainOptions(small_hyperparameters, margin=0.05))


def test_the_new_model_is_better_on_new_reviews_and_not_worse_on_old_ones(retrained: Retrained) -> None:
    conditions = {condition.name: condition for condition in retrained.gate.conditions}
    assert conditions["new reviews: accuracy better"].passed, conditions
    assert conditions["official test: accuracy not worse"].passed, conditions
    assert retrained.evaluation.test_looks == 1
    assert load_gate(retrained.run.folder) == retrained.gate


def test_the_vocabulary_has_new_words(retrained: Retrained, packaged: PackagedModel) -> None:
    assert "showrunner" in retrained.run.encoder.vocabulary
    assert "showrunner" not in packaged.encoder.vocabulary


def test_no_new_review_is_in_training_and_judged(
    drifted: list[NewReview], small_data: Path, retrained: Retrained
) -> None:
    split = split_new(drifted, small_data)
    trained = {review.text_digest for review in read(retrained.run.folder / "data" / REVIEWS_NAME)}
    assert {digest_of(review.text) for review in split.training} <= trained
    assert not {digest_of(review.text) for review in split.judged} & trained
    assert (len(split.training), len(split.judged)) == (retrained.gate.training, retrained.gate.judged)
    part = [review for place, review in enumerate(drifted) if place % 3]
    assert split_new(part, small_data).judged == [review for review in part if review in split.judged]


def test_new_reviews_that_are_old_ones_are_left_out(drifted: list[NewReview], small_data: Path) -> None:
    notes: list[str] = []
    old = next(read(small_data / REVIEWS_NAME))
    again = NewReview(old.label, ReviewRow("again", old.text.upper()))
    split = split_new([*drifted, again], small_data, notes.append)
    assert again not in (*split.training, *split.judged)
    assert notes == ["New reviews that are in the old data already, and are left out: 1."]


def test_reviews_that_have_all_trained_before_are_refused_with_the_reason(
    drifted: list[NewReview], small_data: Path, tmp_path: Path
) -> None:
    training = split_new(drifted, small_data).training
    write_combined(small_data, training, tmp_path / "data")
    with pytest.raises(DataError, match=f"{len(training)} are in .*data already, and the others are held out"):
        split_new(drifted, tmp_path / "data")


def test_a_run_that_would_overwrite_its_own_data_is_refused(
    drifted: list[NewReview], retrained: Retrained, packaged: PackagedModel, small_hyperparameters: dict[str, str]
) -> None:
    folder = retrained.run.folder
    before = read_manifest(folder / "data")
    with pytest.raises(DataError, match="Choose another name"):
        retrain(drifted, folder / "data", folder, packaged, RetrainOptions(small_hyperparameters))
    assert read_manifest(folder / "data") == before


def test_an_interrupted_run_cannot_be_released(
    drifted: list[NewReview],
    small_data: Path,
    packaged: PackagedModel,
    small_hyperparameters: dict[str, str],
    tmp_path: Path,
) -> None:
    def interrupt(_done: int, _total: int, _seen: str = "") -> None:
        raise KeyboardInterrupt

    folder, options = tmp_path / "run", RetrainOptions(small_hyperparameters)
    write_gate(folder, Gate("earlier", 60, 30))
    with pytest.raises(KeyboardInterrupt):
        retrain(drifted, small_data, folder, packaged, options, ticks=[*[silent] * 4, interrupt, silent])
    gate = load_gate(folder)
    assert gate
    assert not gate.allows_release
    assert gate.judgement == "The new model fails the gate: not decided, because `verdict retrain` did not end."


@pytest.mark.parametrize("part", ["few", "one label"])
def test_too_few_new_reviews_or_one_label_are_refused(drifted: list[NewReview], small_data: Path, part: str) -> None:
    chosen = drifted[:20] + drifted[-20:] if part == "few" else [each for each in drifted if each.label]
    with pytest.raises(DataError, match="Label about .* more" if part == "few" else "both labels are needed"):
        split_new(chosen, small_data)


def test_fresh_reviews_train_with_more_lines() -> None:
    times = ["2026-11-27T00:00:00Z", "2026-09-01T00:00:00Z", "2026-01-01T00:00:00Z", "2020-01-01T00:00:00Z", None]
    reviews = [NewReview(1, ReviewRow(str(place), "good", when)) for place, when in enumerate(times)]
    assert [lines_of(review, reviews) for review in reviews] == [4, 4, 3, 2, 2]


def test_old_reviews_keep_their_place_and_new_ones_are_spread(
    drifted: list[NewReview], small_data: Path, tmp_path: Path
) -> None:
    write_combined(small_data, drifted, tmp_path / "data")
    before, after = assign(small_data / REVIEWS_NAME), assign(tmp_path / "data" / REVIEWS_NAME)
    reviews = list(read(tmp_path / "data" / REVIEWS_NAME))
    for review in read(small_data / REVIEWS_NAME):
        assert before.place_of(review) == after.place_of(review)
    added = [review for review in reviews if review.lines]
    assert len(added) == len(drifted)
    assert {after.tenth_of(review) for review in added} == set(range(TENTHS))
    assert read_manifest(tmp_path / "data").total("test") == read_manifest(small_data).total("test")


def test_the_same_vocabulary_is_that_of_the_old_data(
    drifted: list[NewReview], small_data: Path, small_channels: Path, small_slots: int, tmp_path: Path
) -> None:
    write_combined(small_data, drifted, tmp_path / "data")
    prepare(tmp_path / "data", tmp_path / "channels", slots=small_slots, learn_from=small_data)
    old, _ = load_prepared(small_channels)
    new, _ = load_prepared(tmp_path / "channels")
    assert new.vocabulary_fingerprint == old.vocabulary_fingerprint
    assert sum(new.rows["all/train/train.libsvm"].values()) > sum(old.rows["all/train/train.libsvm"].values())


def test_a_vocabulary_of_other_data_cannot_be_kept(
    drifted: list[NewReview], small_data: Path, tmp_path: Path, small_hyperparameters: dict[str, str]
) -> None:
    options = RetrainOptions(small_hyperparameters, new_vocabulary=False)
    with pytest.raises(DataError, match="its vocabulary cannot be kept"):
        retrain(drifted, small_data, tmp_path / "run", load_packaged_model(), options)


def scored(correct: int, wrong: int, probability: float = 0.9) -> ScoredReviews:
    """Return scored reviews, the correct ones first."""
    probabilities = np.array([probability] * correct + [1 - probability] * wrong)
    count = len(probabilities)
    ones = np.ones(count, dtype=np.int64)
    return ScoredReviews([str(n) for n in range(count)], ones, ones, ones, ones, probabilities, probabilities)


def test_not_worse_needs_the_bound_within_the_margin() -> None:
    assert not_worse("test", scored(900, 100), scored(900, 100)).passed
    assert not_worse("test", scored(900, 100), scored(899, 101)).passed
    worse = not_worse("test", scored(900, 100), scored(880, 120))
    assert not worse.passed
    assert "-2.00 points" in worse.new


def test_better_is_an_exact_test_of_the_reviews_that_changed() -> None:
    shown = better("new", scored(80, 20), scored(85, 15))
    assert "p = 0.031" in shown.required  # 5 corrected, none spoilt: 1/32
    assert shown.passed
    assert not better("new", scored(80, 20), scored(84, 16)).passed  # 1/16
    assert not better("new", scored(80, 20), scored(80, 20)).passed


def test_calibration_may_not_get_worse() -> None:
    before = scored(90, 10, probability=0.999)  # every label is positive, so a score of 0.9 is less calibrated
    assert calibrated("official test", before, before).passed
    assert not calibrated("official test", before, scored(90, 10, probability=0.9)).passed


def test_a_calibration_error_that_may_be_chance_passes() -> None:
    before, new = scored(18, 2, probability=0.9), scored(17, 3, probability=0.9)
    condition = calibrated("official test", before, new)
    assert condition.packaged < condition.new
    assert condition.passed


class OneScore:
    """A model that gives every text the same score."""

    def __init__(self, score: float) -> None:
        self._score = score

    def score(self, texts: Sequence[str]) -> Floats:
        return np.full(len(texts), self._score)


def test_kinds_that_the_packaged_model_guesses_are_ignored_and_counted() -> None:
    conditions = behaves(OneScore(0.9), OneScore(0.1))
    assert all(condition.is_guessed and condition.passed for condition in conditions)
    assert {condition.result for condition in conditions} == {"ignored"}
    gate = Gate("a-release", 200, 100, [*conditions, FAILED])
    assert gate.guessed.startswith(f"Ignored: {len(conditions)} kinds of sentences")
    assert Gate("a-release", 200, 100, [FAILED]).guessed == ""
    assert FAILED.result == "FAILED"


FAILED = Condition("new reviews: accuracy better", "80%", "79%", "p", False)


def test_an_overridden_gate_is_shown_with_its_reason(retrained: Retrained) -> None:
    failed = replace(retrained.gate.conditions[0], passed=False)
    overridden = replace(retrained.gate, conditions=[failed], override="a legal reason")
    shown = StringIO()
    show(replace(retrained, gate=overridden), Path("runs/retrained"), Console(file=shown, width=400))
    expected = "The failed gate is overridden: a legal reason. Package it with `verdict release --name retrained"
    assert expected in shown.getvalue()


def test_a_failed_gate_packages_nothing_and_an_override_becomes_a_fact(
    evaluated_run: Run, small_data: Path, small_run: Run, tmp_path: Path
) -> None:
    gate = Gate("a-release", 200, 100, [FAILED])
    folder = small_run.folder
    for name in ("evaluation.json",):
        (folder / name).write_bytes((evaluated_run.folder / name).read_bytes())
    write_gate(folder, gate)
    with pytest.raises(RunError, match="fails the gate: new reviews: accuracy better"):
        release(folder, small_data, tmp_path / "release", tmp_path / "model")
    assert not (tmp_path / "release").exists()
    write_gate(folder, replace(gate, override="a legal reason"))
    released = release(folder, small_data, tmp_path / "release", tmp_path / "model").release
    assert released.facts.gate == {
        "compared_with": "a-release",
        "new_reviews": 200,
        "judged_reviews": 100,
        "failed": ["new reviews: accuracy better"],
        "override": "a legal reason",
    }
    assert parse_facts((tmp_path / "release" / "release.json").read_text()) == released.facts


def test_the_command_exits_with_4_and_packages_nothing(
    drifted: list[NewReview], small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("review", "label"), *((each.text, each.label) for each in drifted)])
    monkeypatch.setattr("cli.model.retrain.RUNS_FOLDER", tmp_path / "runs")
    small = ("num_round=5", "early_stopping_rounds=2", "max_leaves=3", "eta=0.3")
    arguments = ["retrain", "--with", str(path), "--data", str(small_data), "--json"]
    result = CliRunner().invoke(verdict, [*arguments, *(part for each in small for part in ("--set", each))])
    assert result.exit_code == 4, result.output
    gate = json.loads(result.stdout)
    assert not all(condition["passed"] for condition in gate["conditions"])
    assert "Nothing is packaged." in result.stderr
    assert "was trained on other reviews than those in" in " ".join(result.stderr.split())
    if any(condition["is_guessed"] for condition in gate["conditions"]):
        assert "These decide nothing" in " ".join(result.stderr.split())
    assert len(read_new_reviews([path])) == gate["training"] + gate["judged"]
