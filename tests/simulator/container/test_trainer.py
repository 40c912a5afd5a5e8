"""The container's training half: what it makes of channels and string hyperparameters, and how it fails."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import xgboost
from scipy.sparse import csr_matrix

from simulator.container import distributed, trainer
from simulator.container.channel_files import Channel
from simulator.container.errors import LONGEST_REASON, TrainingFailedError
from simulator.container.eval_metrics import figures_of
from simulator.container.trainer import Checkpoint, ContainerContext, TrainedModel
from training.features.channels import CHANNEL_FILES, pair_of
from training.model.hyperparameters import parse
from training.model.train import fit

LIBSVM = b"".join(b"%d 0:1 %d:%d.5 %d:1 20:1\n" % (i % 2, 1 + i % 7, i % 5, 8 + i % 3) for i in range(120))
OTHERS = b"".join(b"%d 0:1 %d:%d.5 20:1\n" % (i % 2, 1 + i % 3, i % 4) for i in range(60))
CSV = b"".join(b"%d,%d.5,%d\n" % (i % 2, i % 5, i % 3) for i in range(60))
PLAIN = {"objective": "binary:logistic", "num_round": "4", "eval_metric": "error,logloss", "nthread": "1"}


def around(lines: list[str], **more: Any) -> ContainerContext:
    return ContainerContext(lines.append, lambda: datetime(2026, 11, 25, 10, 0, tzinfo=UTC), **more)


def channel(name: str, content: bytes, content_type: str = "text/libsvm", file: str = "one") -> Channel:
    return Channel(name, {file: content}, content_type)


PAIR = (channel("train", LIBSVM), channel("validation", OTHERS))


def trained(*channels: Channel, **hyperparameters: str) -> tuple[TrainedModel, list[str]]:
    """Train; returns what came of it and the log."""
    lines: list[str] = []
    return trainer.train(channels or PAIR, {**PLAIN, **hyperparameters}, around(lines)), lines


def failure(*channels: Channel, **hyperparameters: str) -> TrainingFailedError:
    with pytest.raises(TrainingFailedError) as caught:
        trained(*channels, **hyperparameters)
    return caught.value


def rounds_in(lines: list[str]) -> list[dict[str, float]]:
    return [found[1] for line in lines if (found := figures_of(line))]


@pytest.fixture(scope="module")
def pair(small_channels: Path) -> list[Channel]:
    """The channels of a fold, as the container finds them."""
    folder = small_channels / pair_of(4)
    return [channel(name, (folder / file).read_bytes()) for name, file in CHANNEL_FILES.items()]


def test_the_container_trains_the_same_bytes_as_this_project_does(
    pair: list[Channel], small_channels: Path, small_hyperparameters: dict[str, str]
) -> None:
    made, lines = trained(*pair, **small_hyperparameters)
    booster, history = fit(small_channels / pair_of(4), parse(small_hyperparameters))
    assert made.model == bytes(booster.save_raw("ubj"))
    assert [one["validation:logloss"] for one in rounds_in(lines)] == pytest.approx(
        history["validation"]["logloss"], abs=1e-5
    )


def test_the_log_reads_as_the_containers() -> None:
    _, lines = trained()
    assert "[2026-11-25:10:00:00:INFO] Running XGBoost Sagemaker in algorithm mode" in lines
    assert "[2026-11-25:10:00:00:INFO] Train matrix has 120 rows and 21 columns" in lines
    assert "[2026-11-25:10:00:00:INFO] Validation matrix has 60 rows" in lines
    last = lines[-1]
    assert last.startswith("[3]#011train-error:0.")
    assert "#011validation-logloss:0." in last


def test_files_of_a_channel_are_read_by_name_one_after_the_other() -> None:
    half = LIBSVM.index(b"\n", len(LIBSVM) // 2)
    parts = Channel("train", {"b": LIBSVM[half + 1 :], "a": LIBSVM[:half]})
    assert trained(parts)[0] == trained(channel("train", LIBSVM))[0]


@pytest.mark.parametrize("booster", ["gbtree", "gblinear", "dart"])
def test_every_booster_trains(booster: str) -> None:
    made, lines = trained(booster=booster)
    assert made.model
    assert len(rounds_in(lines)) == 4


def test_csv_channels_train_and_may_hold_weights() -> None:
    plain, _ = trained(channel("train", CSV, "text/csv"))
    weighted, _ = trained(channel("train", CSV.replace(b",", b",2,", 20), "text/csv; label_size=1"), csv_weights="0")
    assert plain.model
    assert weighted.model != plain.model
    doubled = b"".join(line.replace(b",", b",2,", 1) for line in CSV.splitlines(keepends=True))
    assert trained(channel("train", doubled, "csv"), csv_weights="1", min_child_weight="2")[0].model


def test_libsvm_declared_as_csv_trains_into_garbage_without_an_error() -> None:
    made, lines = trained(channel("train", LIBSVM, "text/csv"), channel("validation", OTHERS, "text/csv"))
    assert made.model
    assert not any("matrix has 120 rows and 21 columns" in line for line in lines)


def test_early_stopping_leaves_the_best_rounds_only() -> None:
    made, lines = trained(num_round="60", early_stopping_rounds="3", eta="1")
    losses = [one["validation:logloss"] for one in rounds_in(lines)]
    best = losses.index(min(losses)) + 1
    assert best < len(losses) < 60
    assert made.model is not None
    assert xgboost.Booster(model_file=bytearray(made.model)).num_boosted_rounds() == best


@pytest.mark.parametrize(
    ("channels", "hyperparameters"),
    [((PAIR[0],), {}), (PAIR, {"eval_metric": ""})],
    ids=["no validation channel", "no metric named"],
)
def test_early_stopping_is_silently_off(channels: tuple[Channel, ...], hyperparameters: dict[str, str]) -> None:
    stated = {**PLAIN, "num_round": "30", "early_stopping_rounds": "1", "eta": "1", **hyperparameters}
    lines: list[str] = []
    trainer.train(channels, {name: text for name, text in stated.items() if text}, around(lines))
    assert len(rounds_in(lines)) == 30


def test_a_tuning_metric_stands_in_for_the_metrics_that_are_not_named() -> None:
    lines: list[str] = []
    stated = {"objective": "binary:logistic", "num_round": "60", "early_stopping_rounds": "2", "eta": "1"}
    trainer.train(PAIR, {**stated, "_tuning_objective_metric": "validation:auc"}, around(lines))
    assert len(rounds_in(lines)) < 60
    assert set(rounds_in(lines)[0]) == {"train:auc", "validation:auc"}


def test_accuracy_and_f1_call_every_row_positive() -> None:
    _, lines = trained(eval_metric="accuracy,f1,error")
    last = rounds_in(lines)[-1]
    assert last["validation:accuracy"] == 0.5  # half of the rows are
    assert last["validation:f1"] == pytest.approx(1 / 3, abs=1e-5)
    assert last["train:error"] != 0.5


@pytest.mark.parametrize(
    ("hyperparameters", "message"),
    [
        ({"silent": "1"}, "Extraneous hyperparameter found: silent"),
        ({"single_precision_histogram": "true"}, "Extraneous hyperparameter found: single_precision_histogram"),
        ({"eta": "2"}, "Hyperparameter eta: 2.0 is not in [0, 1]"),
        ({"learning_rate": "2"}, "Hyperparameter eta: 2.0 is not in [0, 1]"),
        ({"subsample": "0"}, "Hyperparameter subsample: 0.0 is not in (0, 1]"),
        ({"num_round": "0"}, "Hyperparameter num_round: 0 is not in [1, +inf)"),
        ({"max_depth": "5.5"}, "Hyperparameter max_depth: could not parse value (caused by ValueError)"),
        ({"booster": "forest"}, "Hyperparameter booster: forest is not in ['gbtree', 'gblinear', 'dart']"),
        ({"eval_metric": "hits"}, "Hyperparameter eval_metric: value ['hits'] not in range"),
        ({"eval_metric": "auc@3"}, "Metric 'auc@3' is not supported"),
        ({"eval_metric": "error @ 0.7"}, "Unknown metric function error @ 0.7"),  # refused by xgboost alone
        ({"eval_metric": "error@x"}, "Threshold value 't' in 'error@t' expects float input."),
        ({"objective": "multi:softmax"}, "Require input for parameter 'num_class'"),
        ({"objective": "reg:squarederror", "eval_metric": "auc"}, "Metric 'auc' can only be applied"),
        ({"booster": "gblinear", "early_stopping_rounds": "2"}, "`save_best` is not applicable"),
        ({"updater": "prune"}, "the simulator does not"),
    ],
)
def test_a_wrong_hyperparameter_fails_the_job(hyperparameters: dict[str, str], message: str) -> None:
    assert message in failure(**hyperparameters).message


@pytest.mark.parametrize("metric", ["error", "logloss", "auc", "rmse", "error@0.7", "accuracy", "error,auc"])
def test_a_metric_without_an_objective_fails_with_a_bare_key_error(metric: str) -> None:
    with pytest.raises(TrainingFailedError) as caught:
        trainer.train(PAIR, {"num_round": "4", "eval_metric": metric}, around([]))
    assert caught.value.reason.endswith("\nKeyError: 'objective'\n\n'objective', exit code: 1")


def test_neither_metric_nor_objective_trains() -> None:
    assert trainer.train(PAIR, {"num_round": "4"}, around([])).model


def test_the_objective_of_absolute_errors_trains() -> None:
    assert trained(objective="reg:absoluteerror", eval_metric="mae")[0].model


def test_num_round_is_required() -> None:
    with pytest.raises(TrainingFailedError, match="Missing required hyperparameter: num_round"):
        trainer.train(PAIR, {"eta": "0.1"}, around([]))


def narrower(content: bytes) -> bytes:
    return content.replace(b" 20:1", b"")


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        ([channel("validation", OTHERS)], "Missing required channel: train"),
        ([PAIR[0], channel("test", OTHERS)], "Extraneous channel found: test"),
        ([channel("train", LIBSVM, "application/json")], "Channel configuration for 'train' channel is not supported"),
        ([channel("train", CSV, "text/csv; label_size=0")], "Optional parameter label_size must be equal to 1"),
        ([channel("train", LIBSVM, "application/json; a=b")], "is not an accepted ContentType: csv, libsvm"),
        ([channel("train", LIBSVM, file=".hidden")], "Hidden file found in the data path!"),
        ([channel("train", b"")], "No data in training channel path /opt/ml/input/data/train"),
        ([PAIR[0], channel("validation", b"")], "No data in validation channel path"),
        ([channel("train", CSV)], "is not 'LIBSVM' format"),
        ([channel("train", b"\n1,2\n", "text/csv")], "Could not determine delimiter"),
        ([channel("train", b"7 0:1 5:1\n8 1:1 5:1\n")], "base_score must be in (0,1) for logistic loss"),
        ([channel("train", narrower(LIBSVM)), PAIR[1]], "Number of columns does not match number of features"),
        ([channel("train", LIBSVM, "application/x-parquet")], "the simulator does not"),
        ([Channel("train", {"a": LIBSVM}, input_mode="Pipe")], "'TrainingInputMode': 'Pipe'"),
    ],
)
def test_a_wrong_channel_fails_the_job(channels: list[Channel], message: str) -> None:
    assert message in failure(*channels).message


def test_the_reason_is_what_the_container_writes_and_fits_the_service() -> None:
    reason = failure(eval_metric="hits").reason
    assert reason.startswith("AlgorithmError: framework error: \nTraceback (most recent call last):\n")
    assert "sagemaker_algorithm_toolkit.exceptions.UserError: Hyperparameter eval_metric: value ['hits']" in reason
    assert len(reason) == LONGEST_REASON
    assert failure(silent="1").reason.endswith("Extraneous hyperparameter found: silent, exit code: 1")


def ending_after(rounds: int) -> Callable[[], bool]:
    asked = iter(range(1, 1000))
    return lambda: next(asked) >= rounds


def test_ended_training_keeps_its_model_only_on_request() -> None:
    lines: list[str] = []
    ended = trainer.train(PAIR, PLAIN | {"num_round": "50"}, around(lines, ends=ending_after(3)))
    assert ended == TrainedModel(None, ended_early=True)
    assert len(rounds_in(lines)) == 3
    kept = trainer.train(
        PAIR, PLAIN | {"num_round": "50", "save_model_on_termination": "true"}, around([], ends=ending_after(3))
    )
    assert kept.model is not None
    assert xgboost.Booster(model_file=bytearray(kept.model)).num_boosted_rounds() == 3


def test_training_goes_on_from_a_checkpoint() -> None:
    saved: dict[int, bytes] = {}
    around_first = around([], saved=lambda rounds, model: saved.update({rounds: model()}), ends=ending_after(2))
    trainer.train(PAIR, PLAIN, around_first)
    lines: list[str] = []
    made = trainer.train(PAIR, PLAIN, around(lines, start=Checkpoint(2, saved[2])))
    assert len(rounds_in(lines)) == 2
    assert made == trained()[0]


def scores(made: TrainedModel) -> list[float]:
    """Return a model's scores of a few rows."""
    assert made.model is not None
    rows = csr_matrix([[1.0, *([0.5] * 6), *([0.0] * 13), 1.0], [1.0] * 21, [1.0, *([4.5] * 19), 1.0]])
    found: list[float] = xgboost.Booster(model_file=bytearray(made.model)).predict(xgboost.DMatrix(rows)).tolist()
    return found


def halves(content: bytes) -> list[bytes]:
    lines = content.splitlines(keepends=True)
    return [b"".join(lines[::2]), b"".join(lines[1::2])]


def test_hosts_with_a_shard_each_train_one_model(capfd: pytest.CaptureFixture[str]) -> None:
    shards = [[channel("train", part), PAIR[1]] for part in halves(LIBSVM)]
    logs: list[list[str]] = [[], []]
    made = distributed.train(shards, PLAIN | {"tree_method": "hist"}, [around(log) for log in logs])
    assert made.model
    rows = {name: len(rounds_in(log)) for name, log in zip("ab", logs, strict=True)}
    assert rows == {"a": 4, "b": 0}  # the first decides for all
    alone, _ = trained(tree_method="hist")
    assert scores(made) == pytest.approx(scores(alone), abs=1e-5)
    assert "base_score must be in (0,1)" in failure(shards[0][0]).message  # a shard holds one label only
    capfd.readouterr()  # xgboost's tracker prints who came


def test_a_host_without_data_is_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    logs: list[list[str]] = [[], []]
    shards = [[PAIR[0]], [channel("train", b"")]]
    made = distributed.train(shards, PLAIN, [around(log) for log in logs])
    assert made == trained(PAIR[0])[0]
    assert any("will not be used in distributed training" in line for line in logs[1])
    with pytest.raises(TrainingFailedError, match="No data in training channel"):
        distributed.train([[channel("train", b"")]] * 2, PLAIN, [around([]), around([])])
    capfd.readouterr()


def test_a_host_that_fails_fails_the_job(capfd: pytest.CaptureFixture[str]) -> None:
    shards = [[channel("train", LIBSVM)], [channel("train", b"7 0:1 20:1\n8 0:1 3:1\n")]]
    with pytest.raises(TrainingFailedError):
        distributed.train(shards, PLAIN, [around([]), around([])])
    capfd.readouterr()


def test_all_hosts_end_after_the_same_round(capfd: pytest.CaptureFixture[str]) -> None:
    shards = [[channel("train", part)] for part in halves(LIBSVM)]
    lines: list[str] = []
    ended = distributed.train(shards, PLAIN | {"num_round": "50"}, [around(lines, ends=ending_after(3)), around([])])
    assert ended.ended_early
    assert len(rounds_in(lines)) == 3
    capfd.readouterr()
