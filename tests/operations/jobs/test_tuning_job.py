"""Tuning jobs on the simulated SageMaker, and the run of their best trial."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.model.tune import command
from operations.aws.command import Aws
from operations.aws.errors import AwsError, translate_errors
from operations.aws.plan import DeclinedError
from operations.aws.waiting import StoppedWaitingError
from operations.jobs import tuning_job
from operations.jobs.run_jobs import JobOptions
from operations.jobs.sagemaker_tuning import tune_on_sagemaker
from operations.jobs.stopping import stop_run
from operations.jobs.tuning_job import TuningOptions, find, search_on_sagemaker, stop
from simulator.aws import SimulatedAws
from tests.operations.candidates import interrupted
from training.model.hyperparameters import with_settings
from training.model.run_folder import SEARCH_NAME, load_run
from training.tuning.ranges import CategoricalRange, RangesError, SearchSpace, check_ranges

pytestmark = pytest.mark.usefixtures("with_role")
OPTIONS = JobOptions("ml.m5.xlarge", parallel=2, yes=True)
UNCONFIRMED = replace(OPTIONS, yes=False)
RANDOM = TuningOptions("Random", max_jobs=3, max_parallel=2)
_seeds = count(500)


@pytest.fixture
def space() -> SearchSpace:
    """Ranges whose trials complete quickly, and that no other test searches."""
    static = with_settings(
        "default", ("num_round=3", "max_leaves=3", "early_stopping_rounds=", f"seed={next(_seeds)}", "eta=", "lambda=")
    )
    ranges = [
        {"Name": "eta", "MinValue": "0.1", "MaxValue": "0.9"},
        {"Name": "lambda", "MinValue": "0", "MaxValue": "9"},
    ]
    return check_ranges(
        {
            "ParameterRanges": {"ContinuousParameterRanges": ranges},
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:error"},
            "StaticHyperParameters": static,
        }
    )


def tuning_jobs(aws: Aws) -> list[str]:
    listed = aws.account.client("sagemaker").list_hyper_parameter_tuning_jobs(MaxResults=100)
    return [job["HyperParameterTuningJobName"] for job in listed["HyperParameterTuningJobSummaries"]]


def test_the_best_trial_becomes_a_run(aws: Aws, space: SearchSpace, small_channels: Path, tmp_path: Path) -> None:
    tune_on_sagemaker(aws, space, small_channels, tmp_path / "run", RANDOM, OPTIONS)
    run = load_run(tmp_path / "run")
    found = json.loads((tmp_path / "run" / SEARCH_NAME).read_text())
    assert len(found["trials"]) == 3
    best = min(found["trials"], key=lambda trial: trial["value"])
    assert best["value"] == found["trials"][found["best"] - 1]["value"]
    chosen = found["trials"][found["best"] - 1]["values"]
    assert {name: run.record.hyperparameters[name] for name in ("eta", "lambda")} == chosen
    assert run.record.hyperparameters["eval_metric"] == "logloss,error"
    assert "best" in aws.console.file.getvalue()  # type: ignore[attr-defined]


def test_trials_use_the_same_channels_as_local_trials(aws: Aws, space: SearchSpace, small_channels: Path) -> None:
    tuning = search_on_sagemaker(aws, space, small_channels, RANDOM, OPTIONS)
    job = aws.account.client("sagemaker").describe_training_job(TrainingJobName=tuning.trials[0].job)
    addresses = [channel["DataSource"]["S3DataSource"]["S3Uri"] for channel in job["InputDataConfig"]]
    assert [address.split("/")[-3] for address in addresses] == ["fold-4", "fold-4"]
    assert job["HyperParameters"]["eval_metric"] == "logloss,error"
    assert job["HyperParameters"]["_tuning_objective_metric"] == "validation:error"


def test_an_interrupted_search_is_resumed_by_the_same_command(
    aws: Aws, space: SearchSpace, small_channels: Path, tmp_path: Path, started: Callable[[], list[str]]
) -> None:
    before = tuning_jobs(aws)
    with pytest.raises(StoppedWaitingError):
        search_on_sagemaker(interrupted(aws), space, small_channels, RANDOM, OPTIONS)
    tune_on_sagemaker(aws, space, small_channels, tmp_path / "run", RANDOM, OPTIONS)
    tune_on_sagemaker(aws, space, small_channels, tmp_path / "run", RANDOM, UNCONFIRMED)
    assert len(tuning_jobs(aws)) == len(before) + 1
    assert len(started()) == 6


def test_names_leave_room_for_the_numbers_of_trials(aws: Aws, space: SearchSpace, small_channels: Path) -> None:
    tuning = find(aws.account, space, small_channels, RANDOM, replace(OPTIONS, stage="abcdefghijkl"))
    assert len(tuning.name) <= 32


def test_a_range_for_local_searches_only_is_refused(aws: Aws, small_channels: Path) -> None:
    document = {
        "ParameterRanges": {"IntegerParameterRanges": [{"Name": "max_leaves", "MinValue": "3", "MaxValue": "9"}]},
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:error"},
    }
    with pytest.raises(RangesError, match="cannot vary max_leaves"):
        search_on_sagemaker(aws, check_ranges(document), small_channels, RANDOM, OPTIONS)


def test_grid_has_no_trial_limit_and_hyperband_has_round_limits(
    aws: Aws, space: SearchSpace, small_channels: Path
) -> None:
    listed = replace(space, ranges=(CategoricalRange("eta", ("0.1", "0.3")),))
    grid = find(aws.account, listed, small_channels, TuningOptions("Grid"), OPTIONS).request[
        "HyperParameterTuningJobConfig"
    ]
    assert grid["ResourceLimits"] == {"MaxParallelTrainingJobs": 2}
    band = find(aws.account, space, small_channels, TuningOptions("Hyperband"), OPTIONS).request[
        "HyperParameterTuningJobConfig"
    ]
    assert band["StrategyConfig"]["HyperbandStrategyConfig"] == {"MinResource": 3, "MaxResource": 3}


def test_a_grid_of_ranges_is_refused_before_the_proposal(aws: Aws, space: SearchSpace, small_channels: Path) -> None:
    with pytest.raises(RangesError, match="eta"):
        search_on_sagemaker(aws, space, small_channels, TuningOptions("Grid"), OPTIONS)
    assert aws.console.file.getvalue() == ""  # type: ignore[attr-defined]


def test_a_resumed_search_trains_its_best_trial_without_confirmation(
    aws: Aws, space: SearchSpace, small_channels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StoppedWaitingError):
        search_on_sagemaker(interrupted(aws), space, small_channels, RANDOM, OPTIONS)
    monkeypatch.setattr("click.confirm", lambda *_, **__: pytest.fail("confirmed twice"))
    trained = tune_on_sagemaker(aws, space, small_channels, tmp_path / "run", RANDOM, UNCONFIRMED)
    assert load_run(tmp_path / "run").record.rounds == trained.record.rounds


def test_no_tuning_job_is_started_without_confirmation(
    aws: Aws, space: SearchSpace, small_channels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("click.confirm", lambda *_, **__: False)
    before = tuning_jobs(aws)
    with pytest.raises(DeclinedError):
        search_on_sagemaker(aws, space, small_channels, RANDOM, UNCONFIRMED)
    assert tuning_jobs(aws) == before


def test_a_stopped_search_is_started_again(
    simulated: SimulatedAws, aws: Aws, space: SearchSpace, small_channels: Path
) -> None:
    simulated.fault_injector.inject("CreateTrainingJob", "stuck")
    with pytest.raises(StoppedWaitingError):
        search_on_sagemaker(interrupted(aws), space, small_channels, RANDOM, OPTIONS)
    first = find(aws.account, space, small_channels, RANDOM, OPTIONS)
    assert stop(aws, first)
    with pytest.raises(AwsError, match=f"{first.name} stopped"):
        tuning_job.wait(aws, first, space, RANDOM, OPTIONS)
    again = find(aws.account, space, small_channels, RANDOM, OPTIONS)
    assert (again.name, again.status) == (f"{first.name}-2", "")
    assert not stop(aws, again)


def test_stop_needs_only_the_name_of_the_run(
    simulated: SimulatedAws, aws: Aws, space: SearchSpace, small_channels: Path
) -> None:
    simulated.fault_injector.inject("CreateTrainingJob", "stuck")
    options = replace(OPTIONS, run="searched")
    with pytest.raises(StoppedWaitingError):
        search_on_sagemaker(interrupted(aws), space, small_channels, RANDOM, options)
    job = find(aws.account, space, small_channels, RANDOM, options)
    assert stop_run(aws, "dev", "searched") == [job.name]
    assert stop_run(aws, "dev", "searched") == []


def test_a_missing_permission_is_named(
    simulated: SimulatedAws, aws: Aws, space: SearchSpace, small_channels: Path
) -> None:
    simulated.fault_injector.inject("CreateHyperParameterTuningJob", "denied")
    with pytest.raises(AwsError, match="sagemaker:CreateHyperParameterTuningJob"), translate_errors():
        search_on_sagemaker(aws, space, small_channels, RANDOM, OPTIONS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--strategy", "Grid"], "--strategy applies to work on SageMaker"),
        (["--on", "sagemaker", "--trials", "3"], "--trials applies to a local search"),
    ],
)
def test_options_for_the_other_kind_of_search_are_refused(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert message in result.output
