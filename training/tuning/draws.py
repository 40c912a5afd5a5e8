"""Ranges as Optuna draws from them, and what it drew as the container takes it."""

from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from training.tuning.ranges import Choice, Interval

_DIGITS = 6  # significant ones, of a number drawn


def distribution(one: Interval | Choice) -> BaseDistribution:
    """Return what Optuna draws from; a ReverseLogarithmic range as the logarithms of what is left up to 1."""
    if isinstance(one, Choice):
        return CategoricalDistribution(one.values)
    if one.scale == "ReverseLogarithmic":
        return FloatDistribution(1 - one.high, 1 - one.low, log=True)
    logarithmic = one.scale == "Logarithmic"
    if one.whole:
        return IntDistribution(int(one.low), int(one.high), log=logarithmic)
    return FloatDistribution(one.low, one.high, log=logarithmic)


def outward(one: Interval | Choice, drawn: Any) -> str:
    """Return what was drawn as the container takes it."""
    if isinstance(one, Choice) or one.whole:
        return str(drawn)
    return f"{1 - drawn if one.scale == 'ReverseLogarithmic' else drawn:.{_DIGITS}g}"


def inward(one: Interval | Choice, text: str) -> Any:
    """Return what would have to be drawn for a value."""
    if isinstance(one, Choice):
        return text
    if one.whole:
        return int(text)
    return 1 - float(text) if one.scale == "ReverseLogarithmic" else float(text)
