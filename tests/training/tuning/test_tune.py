import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.model.tune import command
from training.features.channels import SEARCH_FOLD, pair_of
from training.model.hyperparameters import parse, with_settings
from training.model.run_folder import load_run
from training.model.train import fit, train
from training.progress import ProgressCallback
from training.tuning.ranges import SearchSpace, check_ranges
from training.tuning.search import JOURNAL_NAME, SearchError, SearchResult, best_of, search
from training.tuning.tune import SEARCH_NAME, tune

STATIC = with_settings("default", ("num_round=20", "early_stopping_rounds=20", "max_leaves=7", "eta=", "lambda="))


def document(metric: str = "logloss", objective: str = "Minimize", **eta: str) -> dict[str, Any]:
    """Return ranges that reach from a hopeless `eta` to a good one."""
    return {
        "ParameterRanges": {
            "ContinuousParameterRanges": [
                {"Name": "eta", "MinValue": "0.001", "MaxValue": "1", "ScalingType": "Logarithmic", **eta},
                {"Name": "lambda", "MinValue": "0.1", "MaxValue": "200"},
            ],
        },
        "HyperParameterTuningJobObjective": {"Type": objective, "MetricName": f"validation:{metric}"},
        "StaticHyperParameters": {**STATIC, "colsample_bytree": "0.5"},
    }


def drawn(found: SearchResult) -> list[tuple[Any, ...]]:
    """Return what the same search must always give: all but the seconds."""
    return [(trial.number, trial.pruned, trial.value, trial.rounds, trial.values) for trial in found.trials]


def stopping_at(number: int, error: type[BaseException] = KeyboardInterrupt) -> ProgressCallback:
    """Return a `ProgressCallback` that ends the third round of a trial with an error, as Ctrl-C or a crash would."""

    def tick(done: int, _total: int, seen: str) -> None:
        if done == 3 and seen.startswith(f"trial {number},"):
            raise error

    return tick


@pytest.fixture(scope="session")
def space() -> SearchSpace:
    return check_ranges(document(MinValue="0.1"))


@pytest.fixture(scope="session")
def whole_search(space: SearchSpace, small_channels: Path, tmp_path_factory: pytest.TempPathFactory) -> SearchResult:
    """A search that nothing stopped."""
    return search(space, small_channels, tmp_path_factory.mktemp("whole"), 7, seed=1)


@pytest.fixture(scope="session")
def long_space(space: SearchSpace) -> SearchSpace:
    """The same with trials long enough to be pruned."""
    return replace(space, static={**space.static, "num_round": "220", "early_stopping_rounds": "220"})


@pytest.fixture(scope="session")
def pruning_search(
    long_space: SearchSpace, small_channels: Path, tmp_path_factory: pytest.TempPathFactory
) -> SearchResult:
    """A search that nothing stopped, with trials that it pruned."""
    return search(long_space, small_channels, tmp_path_factory.mktemp("pruning"), 6, seed=1)


def test_the_same_seed_makes_the_same_trials(
    space: SearchSpace, small_channels: Path, whole_search: SearchResult, tmp_path: Path
) -> None:
    assert drawn(search(space, small_channels, tmp_path, 7, seed=1)) == drawn(whole_search)


def test_another_seed_makes_other_trials(
    space: SearchSpace, small_channels: Path, whole_search: SearchResult, tmp_path: Path
) -> None:
    other = search(space, small_channels, tmp_path, 2, seed=2)
    assert [trial.values for trial in other.trials] != [trial.values for trial in whole_search.trials[:2]]


def test_a_search_resumed_after_ctrl_c_makes_the_same_trials(
    long_space: SearchSpace, small_channels: Path, pruning_search: SearchResult, tmp_path: Path
) -> None:
    stopped = search(long_space, small_channels, tmp_path, 6, seed=1, progress=stopping_at(4))
    assert stopped.interrupted
    assert drawn(stopped) == drawn(pruning_search)[:3]
    again = search(long_space, small_channels, tmp_path, 6, seed=1)
    assert not again.interrupted
    assert drawn(again) == drawn(pruning_search)


@pytest.mark.parametrize("number", [1, 3])
def test_a_search_resumed_after_a_crash_makes_the_same_trials(
    number: int, space: SearchSpace, small_channels: Path, whole_search: SearchResult, tmp_path: Path
) -> None:
    with pytest.raises(MemoryError):
        search(space, small_channels, tmp_path, 4, seed=1, progress=stopping_at(number, MemoryError))
    assert drawn(search(space, small_channels, tmp_path, 4, seed=1)) == drawn(whole_search)[:4]


def test_a_finished_search_is_extended_by_more_trials(
    space: SearchSpace, small_channels: Path, whole_search: SearchResult, tmp_path: Path
) -> None:
    search(space, small_channels, tmp_path, 3, seed=1)
    assert drawn(search(space, small_channels, tmp_path, 5, seed=1)) == drawn(whole_search)[:5]


def test_hopeless_trials_are_pruned(pruning_search: SearchResult, long_space: SearchSpace) -> None:
    pruned = [trial for trial in pruning_search.trials if trial.pruned]
    assert pruned
    assert min(trial.rounds for trial in pruned) < int(long_space.static["num_round"])
    assert not pruning_search.best.pruned


def test_trials_compared_by_error_are_never_pruned(
    long_space: SearchSpace, small_channels: Path, tmp_path: Path
) -> None:
    found = search(replace(long_space, metric="error"), small_channels, tmp_path, 6, seed=1)
    assert not [trial.number for trial in found.trials if trial.pruned]


def test_every_trial_is_within_its_ranges(whole_search: SearchResult) -> None:
    for trial in whole_search.trials:
        assert 0.1 <= float(trial.values["eta"]) <= 1
        assert 0.1 <= float(trial.values["lambda"]) <= 200


@pytest.mark.parametrize(("metric", "objective", "extreme"), [("logloss", "Minimize", min), ("auc", "Maximize", max)])
def test_the_best_trial_has_the_best_value(
    metric: str, objective: str, extreme: Any, small_channels: Path, tmp_path: Path
) -> None:
    found = search(check_ranges(document(metric, objective)), small_channels, tmp_path, 4, seed=1)
    assert found.best.value == extreme(trial.value for trial in found.trials if not trial.pruned)
    assert best_of((), maximize=True) is None


def test_no_trial_starts_after_the_time_limit(space: SearchSpace, small_channels: Path, tmp_path: Path) -> None:
    seconds = iter(range(0, 1000, 10))
    found = search(space, small_channels, tmp_path, 9, seed=1, seconds=65, clock=lambda: next(seconds))
    assert len(found.trials) == 2  # the clock is read once before all, once before each, and twice in each
    assert not found.interrupted


def test_the_first_trial_has_the_default_hyperparameters(
    space: SearchSpace, small_channels: Path, tmp_path: Path
) -> None:
    start = {"eta": "0.3", "lambda": "0.7"}
    found = search(replace(space, start=start), small_channels, tmp_path, 2, seed=1)
    assert found.trials[0].values == start != found.trials[1].values


def test_integer_categorical_and_reverse_log_ranges_are_drawn(small_channels: Path, tmp_path: Path) -> None:
    ranges = document(MinValue="0.2", MaxValue="0.9", ScalingType="ReverseLogarithmic")
    ranges["StaticHyperParameters"] = {
        name: value for name, value in ranges["StaticHyperParameters"].items() if name not in ("max_leaves", "max_bin")
    }
    ranges["ParameterRanges"] |= {
        "IntegerParameterRanges": [{"Name": "max_leaves", "MinValue": "4", "MaxValue": "9"}],
        "CategoricalParameterRanges": [{"Name": "max_bin", "Values": ["16", "32"]}],
    }
    for trial in search(check_ranges(ranges), small_channels, tmp_path, 7, seed=1).trials:
        assert 4 <= int(trial.values["max_leaves"]) <= 9
        assert trial.values["max_bin"] in ("16", "32")
        assert 0.2 <= float(trial.values["eta"]) <= 0.9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 2}, "other seed"),
        ({"space": check_ranges(document("error"))}, "other ranges"),
    ],
)
def test_the_journal_of_another_search_is_refused(
    change: dict[str, Any], message: str, space: SearchSpace, small_channels: Path, tmp_path: Path
) -> None:
    given = {"space": space, "channels": small_channels, "folder": tmp_path, "trials": 1, "seed": 1}
    search(**given)
    with pytest.raises(SearchError, match=message):
        search(**{**given, **change})


@pytest.mark.parametrize("text", ["nothing of the kind\n" * 3, '{"review": 1}\n'])
def test_a_file_that_is_not_a_journal_is_refused(
    text: Any, space: SearchSpace, small_channels: Path, tmp_path: Path
) -> None:
    (tmp_path / JOURNAL_NAME).write_text(text)
    with pytest.raises(SearchError, match="is not the journal of a search"):
        search(space, small_channels, tmp_path, 1, seed=1)


def test_the_best_trial_becomes_the_run_that_train_makes(
    space: SearchSpace, small_channels: Path, tmp_path: Path
) -> None:
    tuned = tune(space, small_channels, tmp_path / "tuned", trials=3)
    run = load_run(tmp_path / "tuned")
    best = tuned.search.best
    assert run.record.hyperparameters == space.hyperparameters(best.values)
    again = train(small_channels, tmp_path / "trained", run.record.hyperparameters)
    assert again.record.model_sha256 == run.record.model_sha256
    written = json.loads((tmp_path / "tuned" / SEARCH_NAME).read_text())
    assert (written["best"], len(written["trials"])) == (best.number, 3)
    assert written["ranges"] == space.document


def test_a_trial_is_evaluated_on_its_held_out_fold(
    space: SearchSpace, small_channels: Path, whole_search: SearchResult
) -> None:
    for trial in whole_search.trials:
        hyperparameters = parse(space.hyperparameters(trial.values))
        booster, history = fit(small_channels / pair_of(SEARCH_FOLD), hyperparameters)
        assert trial.rounds == booster.num_boosted_rounds()
        assert trial.value == history["validation"]["logloss"][trial.rounds - 1]


def test_ctrl_c_during_the_final_training_keeps_the_trials(
    space: SearchSpace, small_channels: Path, tmp_path: Path
) -> None:
    def tick(_done: Any, _total: Any, seen: Any) -> None:
        if not seen.startswith("trial"):
            raise KeyboardInterrupt

    tuned = tune(space, small_channels, tmp_path, trials=2, progress=tick)
    assert tuned.trained is None
    assert tuned.search.interrupted
    assert len(tuned.search.trials) == 2


@pytest.fixture
def invoke(small_channels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call the command in an empty folder with a file of ranges."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ranges.json").write_text(json.dumps(document()))
    return lambda *arguments: CliRunner().invoke(command, ["--channels", str(small_channels), *arguments])


def test_the_command_prints_trials_and_the_best_one(invoke: Any, tmp_path: Path) -> None:
    result = invoke("--ranges", "ranges.json", "--trials", "2", "--name", "small")
    assert result.exit_code == 0, result.output
    for shown in ("logloss", "lambda", " best", "trials (pruned)", "model SHA-256"):
        assert shown in result.output
    assert load_run(tmp_path / "runs" / "small").record.rounds > 0


def test_an_interrupted_command_prints_how_to_resume(invoke: Any, tmp_path: Path) -> None:
    result = invoke("--ranges", "ranges.json", "--trials", "2", "--seconds", "1e-9")
    assert result.exit_code == 130
    assert "0 of 2 trials are stored in runs/tuned/trials.journal. Repeat the command" in result.output
    assert not (tmp_path / "runs/tuned/run.json").exists()


def test_the_command_reports_ranges_that_a_tuning_job_refuses(invoke: Any, tmp_path: Path) -> None:
    ranges = document()
    del ranges["StaticHyperParameters"]["max_leaves"]
    ranges["ParameterRanges"]["CategoricalParameterRanges"] = [{"Name": "max_leaves", "Values": ["7", "9"]}]
    (tmp_path / "ranges.json").write_text(json.dumps(ranges))
    assert (
        "Not accepted by a SageMaker tuning job: max_leaves"
        in invoke("--ranges", "ranges.json", "--trials", "1").output
    )


def test_ranges_and_preset_are_mutually_exclusive(invoke: Any) -> None:
    assert "Use only one of --ranges and --preset" in invoke("--ranges", "ranges.json", "--preset", "default").output
