import json
from dataclasses import replace
from itertools import count

import pytest
from click.testing import CliRunner

from cli.model.tune import command
from operations.aws import role
from operations.aws.errors import AwsError, explained
from operations.aws.plan import DeclinedError
from operations.aws.waiting import StoppedWaitingError
from operations.jobs import tuning_job
from operations.jobs.run_jobs import TrainingOptions
from operations.jobs.sagemaker_tuning import tuned_there
from operations.jobs.training_job import JobResources
from operations.jobs.tuning_job import TuningOptions, find, stop, tune_there
from training.model.hyperparameters import with_settings
from training.model.run_folder import SEARCH_NAME, load_run
from training.tuning.ranges import CategoricalRange, RangesError, check_ranges

ORDER = TrainingOptions("dev", JobResources("ml.m5.xlarge"), parallel=2, yes=True)
SEARCH = TuningOptions("Random", max_jobs=3, max_parallel=2)
_seeds = count(500)


@pytest.fixture(autouse=True)
def with_role(aws, quickly):
    role.create(aws)
    aws.pause = quickly


@pytest.fixture
def space():
    """Ranges whose trials are done at once, and that no other test searches."""
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


def ctrl_c(_seconds):
    raise KeyboardInterrupt


def made(aws, kind):
    return [line["name"] for line in aws.journal.read() if (line["action"], line["kind"]) == ("created", kind)]


def test_the_best_trial_becomes_a_run(aws, space, small_channels, tmp_path):
    tuned_there(aws, space, small_channels, tmp_path / "run", SEARCH, ORDER)
    run = load_run(tmp_path / "run")
    found = json.loads((tmp_path / "run" / SEARCH_NAME).read_text())
    assert len(found["trials"]) == 3
    best = min(found["trials"], key=lambda trial: trial["value"])
    assert best["value"] == found["trials"][found["best"] - 1]["value"]
    chosen = found["trials"][found["best"] - 1]["values"]
    assert {name: run.record.hyperparameters[name] for name in ("eta", "lambda")} == chosen
    assert run.record.hyperparameters["eval_metric"] == "logloss,error"
    assert "best" in aws.console.file.getvalue()


def test_trials_learn_from_the_pair_that_trials_are_judged_on_here(aws, space, small_channels):
    tuning = tune_there(aws, space, small_channels, SEARCH, ORDER)
    told = aws.account.client("sagemaker").describe_training_job(TrainingJobName=tuning.trials[0].job)
    assert [one["DataSource"]["S3DataSource"]["S3Uri"].split("/")[-3] for one in told["InputDataConfig"]] == [
        "fold-4",
        "fold-4",
    ]
    assert told["HyperParameters"]["eval_metric"] == "logloss,error"
    assert told["HyperParameters"]["_tuning_objective_metric"] == "validation:error"


def test_the_same_command_goes_on_with_a_search_and_makes_no_other(aws, quickly, space, small_channels, tmp_path):
    aws.pause = ctrl_c
    with pytest.raises(StoppedWaitingError, match="the same command goes on"):
        tune_there(aws, space, small_channels, SEARCH, ORDER)
    aws.pause = quickly
    tuned_there(aws, space, small_channels, tmp_path / "run", SEARCH, ORDER)
    nobody_to_ask = TrainingOptions("dev", ORDER.machines, parallel=2)
    tuned_there(aws, space, small_channels, tmp_path / "run", SEARCH, nobody_to_ask)
    assert len(made(aws, "tuning-job")) == 1
    assert len(made(aws, "training-job")) == 6  # the run's; the trials are the tuning job's own


def test_names_leave_room_for_those_of_trials_in_the_longest_stage(aws, space, small_channels):
    tuning = find(aws.account, space, small_channels, SEARCH, TrainingOptions("abcdefghijkl", ORDER.machines))
    assert len(tuning.name) <= 32


def test_a_range_that_only_a_search_here_takes_is_refused(aws, small_channels):
    document = {
        "ParameterRanges": {"IntegerParameterRanges": [{"Name": "max_leaves", "MinValue": "3", "MaxValue": "9"}]},
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:error"},
    }
    with pytest.raises(RangesError, match="cannot vary max_leaves"):
        tune_there(aws, check_ranges(document), small_channels, SEARCH, ORDER)


def test_a_grid_tries_all_combinations_and_hyperband_is_told_how_long_a_trial_is(aws, space, small_channels):
    listed = replace(space, ranges=(CategoricalRange("eta", ("0.1", "0.3")),))
    grid = find(aws.account, listed, small_channels, TuningOptions("Grid"), ORDER).request[
        "HyperParameterTuningJobConfig"
    ]
    assert grid["ResourceLimits"] == {"MaxParallelTrainingJobs": 2}
    band = find(aws.account, space, small_channels, TuningOptions("Hyperband"), ORDER).request[
        "HyperParameterTuningJobConfig"
    ]
    assert band["StrategyConfig"]["HyperbandStrategyConfig"] == {"MinResource": 3, "MaxResource": 3}


def test_a_grid_of_ranges_is_refused_before_anything_is_proposed(aws, space, small_channels):
    with pytest.raises(RangesError, match="not ranges such as eta's"):
        tune_there(aws, space, small_channels, TuningOptions("Grid"), ORDER)
    assert aws.console.file.getvalue() == ""
    assert list(aws.journal.read()) == []


def test_a_search_that_is_gone_on_with_trains_its_best_without_asking(
    aws, quickly, space, small_channels, tmp_path, monkeypatch
):
    aws.pause = ctrl_c
    with pytest.raises(StoppedWaitingError):
        tune_there(aws, space, small_channels, SEARCH, ORDER)
    aws.pause = quickly
    monkeypatch.setattr("click.confirm", lambda *_, **__: pytest.fail("it was agreed to before"))
    trained = tuned_there(aws, space, small_channels, tmp_path / "run", SEARCH, replace(ORDER, yes=False))
    assert load_run(tmp_path / "run").record.rounds == trained.record.rounds


def test_nobody_agreed_so_nothing_is_made(aws, space, small_channels, monkeypatch):
    monkeypatch.setattr("click.confirm", lambda *_, **__: False)
    with pytest.raises(DeclinedError):
        tune_there(aws, space, small_channels, SEARCH, TrainingOptions("dev", ORDER.machines))
    assert made(aws, "tuning-job") == []


def test_a_search_that_was_stopped_is_made_anew(simulated, aws, quickly, space, small_channels):
    simulated.fault_injector.order("CreateTrainingJob", "stuck")
    aws.pause = ctrl_c
    with pytest.raises(StoppedWaitingError):
        tune_there(aws, space, small_channels, SEARCH, ORDER)
    aws.pause = quickly
    first = find(aws.account, space, small_channels, SEARCH, ORDER)
    assert stop(aws, first)
    with pytest.raises(AwsError, match=f"{first.name} stopped without a model"):
        tuning_job.wait(aws, first, space, SEARCH, ORDER)
    again = find(aws.account, space, small_channels, SEARCH, ORDER)
    assert (again.name, again.status) == (f"{first.name}-2", "")
    assert not stop(aws, again)


def test_no_permission_names_what_is_missing(simulated, aws, space, small_channels):
    simulated.fault_injector.order("CreateHyperParameterTuningJob", "denied")
    with pytest.raises(AwsError, match="sagemaker:CreateHyperParameterTuningJob"), explained():
        tune_there(aws, space, small_channels, SEARCH, ORDER)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--strategy", "Grid"], "--strategy applies to work on SageMaker"),
        (["--on", "sagemaker", "--trials", "3"], "--trials applies to a local search"),
    ],
)
def test_an_option_for_the_other_place_is_refused(arguments, said):
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert said in result.output
