import shutil

import pytest
import xgboost
from click.testing import CliRunner

from chalicelib.vocabulary import load as load_vocabulary
from training.hyperparameters import HyperparameterError
from training.reviews import DataError
from training.run_folder import RunError, load_run, run_folder
from training.scoring import load_booster, matrix
from training.train import command, train


def test_the_same_command_gives_the_same_bytes_on_one_thread_or_two(small_channels, small_hyperparameters, tmp_path):
    def model(name, **changed):
        return train(small_channels, tmp_path / name, {**small_hyperparameters, **changed}).record.model_sha256

    assert model("first") == model("second") == model("threads", nthread="2")
    assert model("first") != model("seed", seed="2")


def test_channels_may_lie_in_a_folder_of_any_name(small_channels, small_hyperparameters, tmp_path):
    elsewhere = tmp_path / "José & co; #1?"
    shutil.copytree(small_channels, elsewhere)
    there = train(elsewhere, tmp_path / "there", small_hyperparameters).record
    assert there.model_sha256 == train(small_channels, tmp_path / "here", small_hyperparameters).record.model_sha256


def test_only_the_best_rounds_are_kept(small_run):
    history = small_run.record.history["validation"]["logloss"]
    best = history.index(min(history)) + 1
    assert small_run.record.rounds == best == load_booster(small_run.model).num_boosted_rounds()


def test_a_channel_read_by_xgboost_and_rows_read_here_score_the_same(small_run, small_channels):
    path = small_channels / "validation/validation.libsvm"
    booster = load_booster(small_run.model)
    by_xgboost = booster.predict(xgboost.DMatrix(f"{path}?format=libsvm"))
    rows = [line.partition(" ")[2] for line in path.read_text().splitlines()]
    columns = load_vocabulary(small_channels / "vocabulary.txt").last_column + 1
    assert booster.predict(xgboost.DMatrix(matrix(rows, columns))).tolist() == by_xgboost.tolist()


def test_a_run_learns_and_says_how_it_was_made(small_run):
    record = small_run.record
    assert record.history["validation"]["error"][record.rounds - 1] < 0.2
    assert record.versions["xgboost"] == xgboost.__version__
    assert record.hyperparameters["eta"] == "0.3"


def test_progress_is_shown_every_round(small_channels, small_hyperparameters, tmp_path):
    seen = []
    trained = train(small_channels, tmp_path, small_hyperparameters, lambda *tick: seen.append(tick))
    assert [done for done, _, _ in seen] == list(range(1, len(trained.record.history["train"]["error"]) + 1))
    assert "validation error" in seen[-1][2]


def test_wrong_settings_write_nothing(small_channels, small_hyperparameters, tmp_path):
    with pytest.raises(HyperparameterError):
        train(small_channels, tmp_path / "run", {**small_hyperparameters, "eta": "9"})
    assert not (tmp_path / "run").exists()


def test_absent_channels_are_said(small_hyperparameters, tmp_path):
    with pytest.raises(DataError, match="python -m training prepare"):
        train(tmp_path, tmp_path / "run", small_hyperparameters)


@pytest.mark.parametrize("part", ["xgboost-model", "vocabulary.txt", "run.json"])
def test_a_run_whose_parts_do_not_belong_together_is_refused(small_run, part):
    path = small_run.folder / part
    text = path.read_bytes()
    path.write_bytes(text.replace(b"horrible", b"terrible") if part == "vocabulary.txt" else text[:-2])
    with pytest.raises(RunError):
        load_run(small_run.folder)


@pytest.mark.parametrize("name", ["channels", "../up", "", "A", "-x"])
def test_a_run_has_a_plain_name(name, tmp_path):
    with pytest.raises(RunError, match="cannot be named"):
        run_folder(tmp_path, name)


def test_the_command_shows_the_last_figures(small_channels, small_hyperparameters, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = [argument for key, value in small_hyperparameters.items() for argument in ("--set", f"{key}={value}")]
    result = CliRunner().invoke(command, ["--channels", str(small_channels), "--name", "small", *settings])
    assert result.exit_code == 0
    assert "validation logloss" in result.output
    assert load_run(tmp_path / "runs" / "small").record.rounds > 0
