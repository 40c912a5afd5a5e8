import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from training.model.hyperparameters import EVAL_METRICS, PRESETS, HyperparameterError, parse
from training.tuning.ranges import DIRECTIONS, PRESETS_FOLDER, TUNABLE, RangesError, check_ranges, presets, read_ranges

GOOD = {
    "ParameterRanges": {
        "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "3", "MaxValue": "12"}],
        "ContinuousParameterRanges": [
            {"Name": "eta", "MinValue": "0.05", "MaxValue": "0.5", "ScalingType": "Logarithmic"}
        ],
        "CategoricalParameterRanges": [{"Name": "grow_policy", "Values": ["depthwise", "lossguide"]}],
    },
    "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:auc"},
    "StaticHyperParameters": {
        "objective": "binary:logistic",
        "num_round": "20",
        "eval_metric": "auc,error",
        "seed": "1",
        "nthread": "1",
    },
}


def changed(path: Path, value: Any) -> Any:
    """Return the good file with the member at `a/0/b` replaced, or with None removed."""
    document = copy.deepcopy(GOOD)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    inner = document
    for part in parents:
        inner = inner[part]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return document


def interval(**members: Any) -> Any:
    """Return the good file with a continuous range instead of its own."""
    stated = {"Name": "gamma", "MinValue": "0", "MaxValue": "5", **members}
    return changed("ParameterRanges/ContinuousParameterRanges", [stated])


def test_a_valid_file_is_read() -> None:
    space = check_ranges(GOOD)
    assert space.names == ("max_depth", "eta", "grow_policy")
    assert (space.metric, space.maximize, space.start) == ("auc", True, {})
    assert (space.ranges[0].is_integer, space.ranges[1].is_integer) == (True, False)
    assert space.hyperparameters({"max_depth": "4", "eta": "0.1", "grow_policy": "depthwise"}) == {
        **GOOD["StaticHyperParameters"],
        "eval_metric": "error,auc",
        "max_depth": "4",
        "eta": "0.1",
        "grow_policy": "depthwise",
    }


@pytest.mark.parametrize("preset", presets())
def test_presets_search_only_what_a_tuning_job_can_vary(preset: Any) -> None:
    space = read_ranges(PRESETS_FOLDER / f"{preset}.json")
    assert not space.local_only
    assert set(space.names) <= TUNABLE


def test_the_default_ranges_contain_the_default_hyperparameters() -> None:
    space = read_ranges(PRESETS_FOLDER / "default.json")
    assert space.hyperparameters(space.start) == PRESETS["default"]


def test_the_tutorial_preset_has_the_tutorials_ranges() -> None:
    space = read_ranges(PRESETS_FOLDER / "tutorial.json")
    assert {one.name: (one.low, one.high) for one in space.ranges} == {
        "max_depth": (3, 12),
        "eta": (0.05, 0.5),
        "min_child_weight": (2, 8),
        "subsample": (0.5, 0.9),
        "gamma": (0, 10),
    }


def test_the_example_in_the_documentation_is_valid() -> None:
    text = (Path(__file__).parents[3] / "docs/how-to/tune.md").read_text(encoding="utf-8")
    space = check_ranges(json.loads(re.search(r"```json\n(.*?)```", text, re.DOTALL)[1]))
    assert not space.local_only


def test_hyperparameters_that_a_tuning_job_cannot_vary_are_listed() -> None:
    assert check_ranges(GOOD).local_only == ("grow_policy",)


def test_absent_static_hyperparameters_are_the_default_presets() -> None:
    space = check_ranges(changed("StaticHyperParameters", None))
    recipe = {name: value for name, value in PRESETS["default"].items() if name not in space.names}
    assert space.static == recipe
    assert space.start == {}  # the recipe's max_depth is out of range


@pytest.mark.parametrize(
    ("low", "high", "stated", "scale"),
    [
        ("0", "5", "Auto", "Linear"),
        ("0.1", "5", "Auto", "Linear"),
        ("0.001", "5", "Auto", "Logarithmic"),
        ("0.1", "5", "Logarithmic", "Logarithmic"),
        ("0", "0.9", "ReverseLogarithmic", "ReverseLogarithmic"),
    ],
)
def test_auto_scaling_is_logarithmic_for_wide_ranges(low: str, high: str, stated: str, scale: str) -> None:
    gamma = check_ranges(interval(MinValue=low, MaxValue=high, ScalingType=stated)).ranges[1]
    assert gamma.scale == scale


def test_every_objective_metric_is_known_to_training() -> None:
    for metric, direction in DIRECTIONS.items():
        assert metric in EVAL_METRICS
        aimed = changed("HyperParameterTuningJobObjective", {"Type": direction, "MetricName": f"validation:{metric}"})
        assert parse(check_ranges(aimed).hyperparameters({})).watched_metric == metric


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "JSON object with the members ParameterRanges"),
        (changed("ParameterRanges", None), "missing member 'ParameterRanges'"),
        (changed("Strategy", "Bayesian"), "unknown member 'Strategy'"),
        (changed("ParameterRanges", {}), "no hyperparameter to search"),
        (changed("ParameterRanges/FloatRanges", []), 'Unknown parameter in input: "FloatRanges"'),
        (changed("ParameterRanges/IntegerParameterRanges/0/MaxValue", None), 'Missing required parameter.*"MaxValue"'),
        (changed("ParameterRanges/IntegerParameterRanges/0/MaxValue", 12), "Invalid type for parameter"),
        (changed("ParameterRanges/IntegerParameterRanges/0/ScalingType", "Log"), "'Log', not Auto or Linear or"),
        (changed("ParameterRanges/CategoricalParameterRanges/0/Values", []), "Invalid length"),
        (changed("ParameterRanges/CategoricalParameterRanges/0/Values", ["depthwise"] * 31), "length 31; at most 30"),
        (changed("ParameterRanges/CategoricalParameterRanges/0/Values", ["depthwise"] * 2), "contain a duplicate"),
        (changed("ParameterRanges/AutoParameters", [{"Name": "eta", "ValueHint": "1"}]), "AutoParameters"),
        (changed("StaticHyperParameters/num_round", 20), "Invalid type for parameter"),
        (changed("StaticHyperParameters/eta", "0.1"), "eta occurs 2 times"),
        (interval(Name="max_depth"), "max_depth takes integers"),
        (interval(Name="objective"), "objective cannot be"),
        (interval(Name="seed"), "seed takes integers"),
        (interval(MinValue="5"), "MaxValue must be finite and above MinValue"),
        (interval(MaxValue="inf"), "MaxValue must be finite and above MinValue"),
        (interval(MinValue="0", ScalingType="Logarithmic"), "must start above 0"),
        (interval(MaxValue="1", ScalingType="ReverseLogarithmic"), "must end below 1"),
        (
            changed("ParameterRanges/IntegerParameterRanges/0", {"Name": "gamma", "MinValue": "0.5", "MaxValue": "2"}),
            "gamma in IntegerParameterRanges is not of integers",
        ),
        (
            changed("ParameterRanges/IntegerParameterRanges/0", {"Name": "seed", "MinValue": "1", "MaxValue": "9"}),
            "seed occurs 2 times",
        ),
        (
            changed(
                "ParameterRanges/IntegerParameterRanges/0", {"Name": "verbosity", "MinValue": "0", "MaxValue": "1"}
            ),
            "verbosity decides how trials are compared",
        ),
        (changed("HyperParameterTuningJobObjective/Type", "Best"), "'Best', not"),
        (changed("HyperParameterTuningJobObjective/Type", "Minimize"), "use Maximize"),
        (changed("HyperParameterTuningJobObjective/MetricName", "validation:accuracy"), "above 0 as positive"),
        (changed("HyperParameterTuningJobObjective/MetricName", "validation:f1"), "Use validation:error"),
        (changed("HyperParameterTuningJobObjective/MetricName", "train:auc"), "'train:auc' cannot be an objective"),
        (changed("HyperParameterTuningJobObjective/MetricName", "validation:ndcg"), "Use one of validation:error"),
    ],
)
def test_invalid_ranges_are_refused_with_the_reason(document: Any, message: str) -> None:
    with pytest.raises((RangesError, HyperparameterError), match=message):
        check_ranges(document)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (interval(Name="gama"), "Unknown hyperparameter 'gama'. Known:"),
        (interval(Name="subsample", MinValue="0", MaxValue="1"), "subsample cannot be '0': it must be above 0"),
        (interval(MaxValue="many"), "gamma cannot be 'many'"),
        (interval(MaxValue="nan"), "gamma cannot be 'nan'"),
        (changed("ParameterRanges/CategoricalParameterRanges/0/Values", ["tall"]), "grow_policy cannot be 'tall'"),
        (changed("StaticHyperParameters/silent", "1"), "Unknown hyperparameter 'silent'"),
        (changed("StaticHyperParameters/num_round", None), "missing: num_round"),
        (changed("StaticHyperParameters", {}), "missing: objective"),
    ],
)
def test_values_that_the_container_refuses_are_refused(document: Any, message: str) -> None:
    with pytest.raises(HyperparameterError, match=message):
        check_ranges(document)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read as JSON"),
        ('{"ParameterRanges": {}, "ParameterRanges": {}}', "'ParameterRanges' twice"),
        (json.dumps(GOOD)[:-1], "cannot be read as JSON"),
    ],
)
def test_a_file_that_is_not_json_is_refused(text: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "ranges.json"
    path.write_text(text)
    with pytest.raises(RangesError, match=message):
        read_ranges(path)
