import contextvars
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from click.testing import CliRunner

from cli.model.train import command
from training.data.collect import collect_generated
from training.data.reviews import DataError
from training.data.splits import FOLDS
from training.evaluation.predictions import load_booster, matrix
from training.features.channels import channel_names, pair_of
from training.features.prepare import FeatureRecipe, prepare
from training.locks import InUseError
from training.model import missing_values
from training.model import train as train_module
from training.model.hyperparameters import HyperparameterError, for_rounds, parse, with_settings
from training.model.run_folder import Run, RunError, load_run, run_folder
from training.model.train import best_round, cross_validate, fit, mean_history, train


def rows_of(channel: Any) -> Any:
    """Return a channel's rows, without labels."""
    return [line.partition(" ")[2] for line in channel.read_text().splitlines()]


@pytest.fixture(scope="module")
def folds(small_channels: Path, small_hyperparameters: dict[str, str]) -> Any:
    return cross_validate(small_channels, parse(small_hyperparameters), one_process=True)


@pytest.fixture(scope="module")
def channels_of_words(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Channels without evidence, on which a model has nothing to split on but words."""
    folder = tmp_path_factory.mktemp("words")
    prepare(small_data, folder, recipe=FeatureRecipe(ngrams=False))
    return folder


def test_the_same_command_gives_the_same_bytes_on_one_thread_or_two(
    small_channels: Path, small_hyperparameters: dict[str, str], trained_run: Run, tmp_path: Path
) -> Any:
    def made(folder: Any) -> Any:
        return [(folder / part).read_bytes() for part in ("xgboost-model", "held-out.json", "vocabulary.txt")]

    def again(name: Any, **changed: Any) -> Any:
        return made(train(small_channels, tmp_path / name, {**small_hyperparameters, **changed}).folder)

    assert again("same") == again("threads", nthread="2") == made(trained_run.folder)
    assert again("seed", seed="2")[0] != made(trained_run.folder)[0]


def test_folds_trained_in_parallel_give_the_same_run(
    small_channels: Path,
    small_hyperparameters: dict[str, str],
    trained_run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(train_module, "_SMALL", 0)
    ticks = []
    trained = train(small_channels, tmp_path, small_hyperparameters, lambda done, total, _: ticks.append((done, total)))
    assert trained.record.model_sha256 == trained_run.record.model_sha256
    assert trained.record.held_out_sha256 == trained_run.record.held_out_sha256
    assert ticks == [(done, FOLDS) for done in range(FOLDS + 1)]


def test_channels_can_be_in_a_folder_of_any_name(
    small_channels: Path, small_hyperparameters: dict[str, str], trained_run: Run, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "José & co; #1?"
    shutil.copytree(small_channels, elsewhere)
    there = train(elsewhere, tmp_path / "there", small_hyperparameters).record
    assert there.model_sha256 == trained_run.record.model_sha256


@pytest.fixture(scope="module")
def other_channels(small_slots: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The channels of other data."""
    folder = tmp_path_factory.mktemp("other")
    collect_generated(60, folder / "data")
    prepare(folder / "data", folder / "channels", slots=small_slots)
    return folder / "channels"


def test_a_run_is_never_of_two_sets_of_channels(
    small_channels: Path, other_channels: Path, small_hyperparameters: dict[str, str], tmp_path: Path
) -> None:
    """The other channels are copied, as by a program that knows no locks, while the final model is trained."""
    shutil.copytree(small_channels, tmp_path / "channels")

    def replace_channels(*_: object) -> None:
        shutil.copytree(other_channels, tmp_path / "channels", dirs_exist_ok=True)

    with pytest.raises(DataError, match=r"during training.*Nothing was written"):
        train(tmp_path / "channels", tmp_path / "run", small_hyperparameters, progress=replace_channels)
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fcntl locks")
def test_channels_and_runs_in_use_cannot_be_written(
    small_data: Path, small_channels: Path, small_hyperparameters: dict[str, str], small_slots: int, tmp_path: Path
) -> None:
    refused: list[str] = []

    def write_both(*_: object) -> None:
        for write in (
            lambda: prepare(small_data, small_channels, slots=small_slots),
            lambda: train(small_channels, tmp_path / "run", small_hyperparameters),
        ):
            with pytest.raises(InUseError) as error:
                contextvars.Context().run(write)
            refused.append(error.value.detail)

    train(small_channels, tmp_path / "run", small_hyperparameters, progress=write_both)
    assert set(refused) == {
        f"Another command is reading or writing {folder}. Wait until it ends, or use another folder."
        for folder in (small_channels, tmp_path / "run")
    }
    assert load_run(tmp_path / "run")


def test_the_number_of_rounds_is_best_on_average_over_the_folds(trained_run: Run, folds: Any) -> None:
    losses = [fold.history["validation"]["logloss"] for fold in folds]
    common = min(map(len, losses))
    means = np.mean([loss[:common] for loss in losses], axis=0)
    assert trained_run.record.rounds == int(np.argmin(means.round(6))) + 1
    assert trained_run.record.history["validation"]["logloss"] == pytest.approx(means, abs=1e-6)
    assert load_booster(trained_run.model).num_boosted_rounds() == trained_run.record.rounds


def test_the_history_is_the_mean_over_rounds_of_all_folds() -> None:
    short = {"train": {"error": [0.4, 0.2]}, "validation": {"error": [0.5, 0.3], "logloss": [0.7, 0.6]}}
    long = {"train": {"error": [0.2, 0.1, 0.0]}, "validation": {"error": [0.4, 0.4, 0.1], "logloss": [0.6, 0.5, 0.4]}}
    assert mean_history([short, long]) == {
        "train": {"error": [0.3, 0.15]},
        "validation": {"error": [0.45, 0.35], "logloss": [0.65, 0.55]},
    }


@pytest.mark.parametrize(
    ("values", "metric", "rounds"),
    [([0.5, 0.3, 0.4], "logloss", 2), ([0.5, 0.3, 0.3], "error", 2), ([0.5, 0.8, 0.8], "auc", 2), ([0.1], "map", 1)],
)
def test_the_best_round_is_the_first_of_equals(values: list[Any], metric: str, rounds: int) -> None:
    assert best_round(values, metric) == rounds


def test_out_of_fold_predictions_are_by_a_model_without_the_fold(
    trained_run: Run, small_channels: Path, small_hyperparameters: dict[str, str]
) -> None:
    """Trained again here from the pair alone, whose train channel holds nothing of the fold."""
    for fold in range(FOLDS):
        pair = small_channels / pair_of(fold)
        booster, _ = fit(pair, parse(small_hyperparameters), truncate=False)
        rows = matrix(rows_of(pair / "validation/validation.libsvm"), trained_run.encoder.columns)
        probabilities = booster.predict(xgboost.DMatrix(rows), iteration_range=(0, trained_run.record.rounds))
        assert trained_run.held_out[fold] == [round(float(each), 7) for each in probabilities]


def test_held_out_labels_do_not_change_the_folds_model(
    small_channels: Path, small_hyperparameters: dict[str, str], folds: Any, tmp_path: Path
) -> None:
    """With other labels in the held out fold, the same rounds give the same trees."""
    for name in channel_names():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        turned = (small_channels / name).read_text().splitlines()
        if "validation" in name:
            turned = [f"{1 - int(line[0])}{line[1:]}" for line in turned]
        (tmp_path / name).write_text("\n".join(turned) + "\n")
    again = cross_validate(tmp_path, parse({**small_hyperparameters, "early_stopping_rounds": "30"}), one_process=True)
    rounds = min(len(fold.history["train"]["error"]) for fold in folds)
    for before, after in zip(folds, again, strict=True):
        dumps = [xgboost.Booster(model_file=bytearray(fold.model))[:rounds].get_dump() for fold in (before, after)]
        assert dumps[0] == dumps[1]
        assert before.history["validation"]["error"][0] == pytest.approx(1 - after.history["validation"]["error"][0])


def test_the_final_model_is_trained_on_all_reviews(
    trained_run: Run, small_channels: Path, small_hyperparameters: dict[str, str]
) -> None:
    hyperparameters = parse(small_hyperparameters)
    channel = xgboost.DMatrix(f"{small_channels / 'all/train/train.libsvm'}?format=libsvm")
    booster = xgboost.train(hyperparameters.booster, channel, trained_run.record.rounds)
    released = load_booster(trained_run.model)
    assert released.predict(channel).tolist() == booster.predict(channel).tolist()


def test_the_final_model_is_missing_invariant(
    channels_of_words: Any, small_hyperparameters: dict[str, str], tmp_path: Path
) -> None:
    train(channels_of_words, tmp_path, small_hyperparameters)
    run = load_run(tmp_path)
    assert missing_values.is_missing_invariant(run.model, 0, run.encoder.first_derived)
    rows = matrix(rows_of(channels_of_words / "all/train/train.libsvm"), run.encoder.columns)
    assert missing_values.count_changed(load_booster(run.model), rows) == 0
    of_folds = [fit(channels_of_words / pair_of(fold), parse(small_hyperparameters))[0] for fold in range(FOLDS)]
    invariant = [
        missing_values.is_missing_invariant(bytes(model.save_raw("ubj")), 0, run.encoder.first_derived)
        for model in of_folds
    ]
    assert not all(invariant)  # as xgboost trains them, most distinguish the two


def test_channels_and_rows_score_the_same(trained_run: Run, small_channels: Path) -> None:
    path = small_channels / pair_of(0) / "validation/validation.libsvm"
    booster = load_booster(trained_run.model)
    by_xgboost = booster.predict(xgboost.DMatrix(f"{path}?format=libsvm"))
    rows = matrix(rows_of(path), trained_run.encoder.columns)
    assert booster.predict(xgboost.DMatrix(rows)).tolist() == by_xgboost.tolist()


def test_a_run_learns_and_records_how(trained_run: Run) -> None:
    record = trained_run.record
    assert record.history["validation"]["error"][record.rounds - 1] < 0.2
    assert record.versions["xgboost"] == xgboost.__version__
    assert record.hyperparameters["eta"] == "0.3"
    assert record.prepared.vocabulary_fingerprint == trained_run.encoder.fingerprint
    assert [len(fold) for fold in trained_run.held_out] == [120] * FOLDS


def test_the_best_figures_are_those_of_the_best_round(
    small_channels: Path, small_hyperparameters: dict[str, str], tmp_path: Path
) -> None:
    trained = train(small_channels, tmp_path, small_hyperparameters)
    history = trained.record.history["validation"]["logloss"]
    assert trained.best["validation"]["logloss"] == history[trained.record.rounds - 1] == min(history)


def test_progress_is_reported_every_round(
    small_channels: Path, small_hyperparameters: dict[str, str], tmp_path: Path
) -> None:
    seen = []
    trained = train(small_channels, tmp_path, small_hyperparameters, progress=lambda *report: seen.append(report))
    rounds = trained.record.rounds
    assert [(done, total) for done, total, _ in seen] == [(done, rounds) for done in range(1, rounds + 1)]
    assert "train error" in seen[-1][2]


def test_invalid_settings_write_nothing(
    small_channels: Path, small_hyperparameters: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(HyperparameterError):
        train(small_channels, tmp_path / "run", {**small_hyperparameters, "eta": "9"})
    assert not (tmp_path / "run").exists()


def test_absent_channels_are_reported(small_hyperparameters: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="verdict prepare"):
        train(tmp_path, tmp_path / "run", small_hyperparameters)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("xgboost-model", lambda content: content[:-2]),
        ("vocabulary.txt", lambda content: content.replace(b"horrible", b"terrible")),
        ("evidence.bin", lambda content: content[:-1] + b"\x01"),
        ("held-out.json", lambda content: content.replace(b"[0.", b"[0.1", 1)),
        ("run.json", lambda content: content[:-3]),
    ],
)
def test_a_run_with_mismatched_files_is_refused(small_run: Run, part: str, change: Any) -> None:
    path = small_run.folder / part
    content = path.read_bytes()
    path.write_bytes(change(content))
    assert path.read_bytes() != content
    with pytest.raises(RunError, match="Run `verdict train`"):
        load_run(small_run.folder)


@pytest.mark.parametrize("part", ["xgboost-model", "evidence.bin", "held-out.json", "run.json"])
def test_an_incomplete_run_is_refused(small_run: Run, part: str) -> None:
    (small_run.folder / part).unlink()
    with pytest.raises(RunError, match="Run `verdict train`"):
        load_run(small_run.folder)


def test_a_run_without_ngram_weights_replaces_one_with_them(
    small_run: Run, channels_of_words: Any, small_hyperparameters: dict[str, str]
) -> None:
    assert (small_run.folder / "evidence.bin").exists()
    train(channels_of_words, small_run.folder, small_hyperparameters)
    assert load_run(small_run.folder).encoder.ngram_table is None


def test_a_run_being_written_is_refused(
    small_run: Run, small_channels: Path, small_hyperparameters: dict[str, str], tmp_path: Path
) -> None:
    """As after a crash: the parts of a new run beside the record of the old."""
    other = train(small_channels, tmp_path / "other", {**small_hyperparameters, "seed": "2"})
    shutil.copy(other.folder / "xgboost-model", small_run.folder)
    with pytest.raises(RunError, match="xgboost-model does not match the run"):
        load_run(small_run.folder)


@pytest.mark.parametrize("name", ["channels", "../up", "", "A", "-x"])
def test_a_run_needs_a_plain_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be named"):
        run_folder(tmp_path, name)


def test_the_name_channels_is_reserved(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="'channels': `verdict prepare` uses that folder"):
        run_folder(tmp_path, "channels")
    with pytest.raises(RunError, match="lower-case letters") as raised:
        run_folder(tmp_path, "A")
    assert "channels" not in raised.value.detail


def test_the_command_prints_the_figures(
    small_channels: Path, small_hyperparameters: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = [argument for key, value in small_hyperparameters.items() for argument in ("--set", f"{key}={value}")]
    result = CliRunner().invoke(command, ["--channels", str(small_channels), "--name", "small", *settings])
    assert result.exit_code == 0
    assert "validation logloss, mean of 5 folds" in result.output
    written = json.loads((tmp_path / "runs" / "small" / "run.json").read_text())
    assert load_run(tmp_path / "runs" / "small").record.rounds == written["rounds"] > 0


def test_linear_folds_and_final_model_have_the_same_rounds(small_channels: Path, tmp_path: Path) -> None:
    """It cannot be cut, so where fewer rounds are best the folds are trained again for those."""
    stated = with_settings("linear", ("num_round=40", "lambda=0"))
    train(small_channels, tmp_path, stated)
    run = load_run(tmp_path)
    losses = run.record.history["validation"]["logloss"]
    assert run.record.rounds == 1 + losses.index(min(losses)) < 40
    assert load_booster(run.model).num_boosted_rounds() == run.record.rounds
    booster, _ = fit(small_channels / pair_of(0), parse(for_rounds(stated, run.record.rounds)))
    rows = matrix(rows_of(small_channels / pair_of(0) / "validation/validation.libsvm"), run.encoder.columns)
    assert run.held_out[0] == [round(float(each), 7) for each in booster.predict(xgboost.DMatrix(rows))]


def test_a_linear_model_is_missing_invariant_already(small_channels: Path, tmp_path: Path) -> None:
    train(small_channels, tmp_path, with_settings("linear", ("num_round=5",)))
    run = load_run(tmp_path)
    assert missing_values.is_missing_invariant(run.model, 0, run.encoder.first_derived)
    assert missing_values.make_missing_invariant(run.model, 0, run.encoder.first_derived) == run.model
    rows = matrix(rows_of(small_channels / "all/train/train.libsvm"), run.encoder.columns)
    assert missing_values.count_changed(load_booster(run.model), rows) == 0
