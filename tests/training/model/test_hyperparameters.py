import pytest

from training.model.hyperparameters import PRESETS, HyperparameterError, for_rounds, parse, with_settings


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_strings_that_parse(preset):
    assert all(isinstance(value, str) for value in PRESETS[preset].values())
    assert parse(PRESETS[preset]).stated == PRESETS[preset]


def test_the_last_metric_is_watched_and_rounds_are_not_the_boosters():
    parsed = parse(with_settings("default", ("eval_metric=logloss,auc", "num_round=7")))
    assert (parsed.watched_metric, parsed.num_round) == ("auc", 7)
    assert not {"num_round", "early_stopping_rounds"} & parsed.booster.keys()


def test_an_empty_value_takes_a_setting_away():
    assert parse(with_settings("default", ("early_stopping_rounds=",))).early_stopping_rounds is None


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("etaa=0.1", "Unknown hyperparameter 'etaa'; known are objective"),
        ("eta=1.5", "eta cannot be '1.5': it must be at least 0 and at most 1"),
        ("eta=nan", "eta cannot be 'nan'"),
        ("subsample=0", "it must be above 0"),
        ("max_leaves=2.5", "max_leaves cannot be '2.5'"),
        ("objective=reg:squarederror", "it must be binary:logistic"),
        ("eval_metric=accuracy", "eval_metric cannot be 'accuracy'"),
        ("num_round=", "lack num_round"),
        ("eta", "not key=value"),
    ],
)
def test_a_wrong_setting_is_refused_saying_why(setting, message):
    with pytest.raises(HyperparameterError, match=message):
        parse(with_settings("default", (setting,)))


def test_a_linear_model_begins_with_what_it_takes():
    assert with_settings("default", ("booster=gblinear", "eta=0.4")) == {**PRESETS["linear"], "eta": "0.4"}
    assert parse(PRESETS["linear"]).is_linear
    assert not parse(PRESETS["default"]).is_linear


@pytest.mark.parametrize(
    ("preset", "setting", "message"),
    [
        ("linear", "max_depth=3", "A linear model takes no max_depth"),
        ("linear", "early_stopping_rounds=10", "takes no early_stopping_rounds"),
        ("default", "updater=coord_descent", "Trees take no updater"),
        ("linear", "updater=prune", "it must be coord_descent or shotgun"),
    ],
)
def test_what_the_booster_does_not_take_is_refused(preset, setting, message):
    with pytest.raises(HyperparameterError, match=message):
        parse(with_settings(preset, (setting,)))


def test_a_number_of_rounds_is_kept_whatever_is_seen_on_the_way():
    kept = for_rounds(PRESETS["default"], 7)
    assert parse(kept).num_round == 7
    assert parse(kept).early_stopping_rounds is None
