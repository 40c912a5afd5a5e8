import shlex

import click
import pytest

from cli.main import verdict
from operations.comparison.confidence_sequence import ALPHA, Outcomes, of_pairs, of_two_samples
from operations.comparison.decision import Contest, Decision, Result, decide
from operations.rollout.split import parse_weights

EQUAL_ERRORS = of_two_samples(Outcomes(3, 5000), Outcomes(3, 5000))
LABELS = {"positive": 700, "negative": 500}


def decision(new: Outcomes | None = None, baseline: Outcomes | None = None, **changed: object) -> Decision:
    """Decide between `linear` with 10% of the traffic and `release`, by their accuracy."""
    accuracy = of_two_samples(new, baseline) if new and baseline else None
    stated = {
        "stage": "prod",
        "new": "linear",
        "baseline": "release",
        "new_weight": 0.1,
        "baseline_weight": 0.9,
        "error_rate": EQUAL_ERRORS,
        "accuracy": accuracy,
        "labels": LABELS if accuracy else dict.fromkeys(LABELS, 0),
        "assumed_accuracy": 0.92,
        "alpha": ALPHA,
        **changed,
    }
    return decide(Contest(**stated))  # type: ignore[arg-type]


def test_the_new_variant_wins_and_gets_all_traffic() -> None:
    won = decision(Outcomes(1900, 2000), Outcomes(1700, 2000))
    assert won.result is Result.WINS
    assert "linear wins" in won.sentence
    assert won.command == "verdict split linear=1 --stage prod --drop-others"


def test_the_new_variant_loses_and_is_removed() -> None:
    lost = decision(Outcomes(1700, 2000), Outcomes(1900, 2000))
    assert lost.result is Result.LOSES
    assert "lower by 7.1 to 12.9" in lost.sentence
    assert lost.command == "verdict split release=1 --stage prod --drop-others"


def test_a_higher_error_rate_loses_whatever_the_accuracy() -> None:
    failing = of_two_samples(Outcomes(400, 5000), Outcomes(3, 5000))
    lost = decision(Outcomes(1900, 2000), Outcomes(1700, 2000), error_rate=failing)
    assert lost.result is Result.LOSES
    assert "error rate" in lost.sentence


def test_practically_equal_variants_make_no_difference() -> None:
    equal = decision(Outcomes(46_000, 50_000), Outcomes(46_000, 50_000))
    assert equal.result is Result.NO_DIFFERENCE
    assert equal.command.startswith("verdict split release=1 ")


def test_more_answers_are_needed_as_a_round_number() -> None:
    undecided = decision(Outcomes(94, 100), Outcomes(90, 100))
    assert undecided.result is Result.UNDECIDED
    assert undecided.needed
    assert 1_500 < undecided.needed < 3_000
    rounded = -(-undecided.needed // 100) * 100
    assert f"about {rounded:,} more labelled answers are needed to decide" in undecided.sentence
    assert undecided.command == "verdict split release=50 linear=50 --stage prod"


def test_a_small_difference_is_planned_for_by_the_margin() -> None:
    undecided = decision(Outcomes(920, 1000), Outcomes(919, 1000))
    assert "to detect a difference of 2 percentage points" in undecided.sentence
    assert undecided.needed
    assert 3_000 < undecided.needed < 8_000


def test_without_labels_the_number_that_is_needed_is_planned() -> None:
    undecided = decision()
    assert "no answer has a label yet" in undecided.sentence
    assert undecided.needed
    assert 15_000 < undecided.needed < 25_000  # with an even split it is about a third
    assert decision(new_weight=0.5, baseline_weight=0.5).needed == pytest.approx(undecided.needed * 0.36, rel=0.05)


def test_an_even_split_is_left_as_it_is() -> None:
    assert not decision(new_weight=0.5, baseline_weight=0.5).command


def test_a_class_without_labels_decides_nothing() -> None:
    undecided = decision(Outcomes(1900, 2000), Outcomes(1700, 2000), labels={"positive": 4000, "negative": 0})
    assert undecided.result is Result.UNDECIDED
    assert "none of the 4000 labelled answers is labelled negative" in undecided.sentence


def test_too_few_labels_decide_nothing() -> None:
    undecided = decision(Outcomes(10, 10), Outcomes(0, 1000))
    assert undecided.result is Result.UNDECIDED
    assert "at least 30 labelled answers" in undecided.sentence


def test_the_same_texts_decide_with_fewer_labels() -> None:
    assert decision(Outcomes(280, 300), Outcomes(262, 300)).result is Result.UNDECIDED
    assert decision(accuracy=of_pairs(20, 2, 300), labels=LABELS).result is Result.WINS


def test_each_command_is_valid() -> None:
    commands = [
        decision(Outcomes(1900, 2000), Outcomes(1700, 2000)).command,
        decision(Outcomes(94, 100), Outcomes(90, 100)).command,
    ]
    for line in commands:
        program, name, *arguments = shlex.split(line)
        command = verdict.get_command(click.Context(verdict), name)
        assert program == "verdict"
        assert command
        values, _, _ = command.make_parser(click.Context(command)).parse_args(arguments)
        assert parse_weights(values["variants"])
