from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from training.features.channels import ALL, CHANNEL_FILES
from training.model.channel_matrix import parse_libsvm, read_channel
from training.model.hyperparameters import parse

TOLERANCE = 0.02  # of a probability, on average


def test_lines_are_parsed_as_labels_and_rows() -> None:
    rows, labels = parse_libsvm(b"1 0:1 3:100214 4:1\n0 0:1 4:1\n")
    assert labels.tolist() == [1, 0]
    assert rows.toarray().tolist() == [[1, 0, 0, 100214, 1], [1, 0, 0, 0, 1]]


@pytest.fixture
def channel(small_channels: Path) -> Path:
    return small_channels / ALL / CHANNEL_FILES["train"]


def test_pages_have_the_rows_of_the_channel(channel: Path) -> None:
    whole, paged = read_channel(channel, 1), read_channel(channel, 1, 0, 20_000)
    assert (paged.num_row(), paged.num_col()) == (whole.num_row(), whole.num_col())
    assert paged.get_label().tolist() == whole.get_label().tolist()


@pytest.mark.parametrize("settings", [{}, {"booster": "gblinear", "updater": "coord_descent"}])
def test_a_model_of_pages_predicts_the_same(
    channel: Path, small_hyperparameters: dict[str, str], settings: dict[str, Any]
) -> None:
    strings = {
        "objective": "binary:logistic",
        "eval_metric": "logloss",
        "num_round": "20",
        "seed": "1",
        "nthread": "1",
    } | settings
    booster = parse(strings if settings else small_hyperparameters).booster
    rows = read_channel(channel, 1)
    predictions = []
    for matrix in (rows, read_channel(channel, 1, 0, 20_000)):
        model = xgboost.train(booster, matrix, 20, evals=[(matrix, "train")], verbose_eval=False)
        predictions.append(model.predict(rows))
        assert model.predict(matrix) == pytest.approx(predictions[-1], abs=1e-6)
    assert float(np.mean(np.abs(predictions[0] - predictions[1]))) < TOLERANCE
    assert predictions[0].std() > 0.1


def test_the_files_of_pages_are_deleted_with_the_matrix(
    channel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    matrix = read_channel(channel, 1, 0, 20_000)
    assert any(tmp_path.iterdir())
    del matrix
    assert not any(tmp_path.iterdir())
