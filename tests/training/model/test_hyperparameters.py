import pytest

from training.model.hyperparameters import PRESETS, HyperparameterError, for_rounds, parse, with_settings


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_strings_that_parse(preset: str) -> None:
    assert all(isinstance(value, str) for value in PRESETS[preset].values())
    assert parse(PRESETS[preset]).strings == PRESETS[preset]


def test_early_stopping_uses_the_last_metric() -> None:
    parsed = parse(with_settings("default", ("eval_metric=logloss,auc", "num_round=7")))
    assert (parsed.watched_metric, parsed.num_round) == ("auc", 7)
    assert not {"num_round", "early_stopping_rounds"} & parsed.booster.keys()


def test_an_empty_value_removes_a_setting() -> None:
    assert parse(with_settings("default", ("early_stopping_rounds=",))).early_stopping_rounds is None


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("etaa=0.1", "Unknown hyperparameter 'etaa'. Known: objective"),
        ("eta=1.5", "eta cannot be '1.5': it must be at least 0 and at most 1"),
        ("eta=nan", "eta cannot be 'nan'"),
        ("subsample=0", "it must be above 0"),
        ("max_leaves=2.5", "max_leaves cannot be '2.5'"),
        ("objective=reg:squarederror", "it must be binary:logistic"),
        ("eval_metric=accuracy", "eval_metric cannot be 'accuracy'"),
        ("num_round=", "missing: num_round"),
        ("eta", "not in the form key=value"),
    ],
)
def test_an_invalid_setting_is_refused_with_the_reason(setting: str, message: str) -> None:
    with pytest.raises(HyperparameterError, match=message):
        parse(with_settings("default", (setting,)))


def test_a_linear_booster_starts_from_the_linear_preset() -> None:
    assert with_settings("default", ("booster=gblinear", "eta=0.4")) == {**PRESETS["linear"], "eta": "0.4"}
    assert parse(PRESETS["linear"]).is_linear
    assert not parse(PRESETS["default"]).is_linear


@pytest.mark.parametrize(
    ("preset", "setting", "message"),
    [
        ("linear", "max_depth=3", "max_depth: not for a linear model"),
        ("linear", "early_stopping_rounds=10", "early_stopping_rounds: not for a linear model"),
        ("default", "updater=coord_descent", "updater: for a linear model only"),
        ("linear", "updater=prune", "it must be coord_descent or shotgun"),
    ],
)
def test_parameters_of_the_other_booster_are_refused(preset: str, setting: str, message: str) -> None:
    with pytest.raises(HyperparameterError, match=message):
        parse(with_settings(preset, (setting,)))


def test_a_fixed_number_of_rounds_has_no_early_stopping() -> None:
    kept = for_rounds(PRESETS["default"], 7)
    assert parse(kept).num_round == 7
    assert parse(kept).early_stopping_rounds is None
