"""The arithmetic of `docs/explanation/scale.md`, computed from its unit costs and prices and the limits in the code."""

import re
from pathlib import Path

import pytest

from operations.endpoint import endpoint_config
from operations.jobs import training_job
from operations.packaging.package import stack_template
from training.data.splits import FOLDS
from training.features.ngram_weights import STEPS
from training.features.prepare import EXCERPT_EVERY, REVIEW_LINES
from training.model.hyperparameters import with_settings

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "explanation" / "scale.md").read_text(encoding="utf-8")
COSTS = (ROOT / "docs" / "reference" / "costs.md").read_text(encoding="utf-8")
VALUE = {
    name: float(value) for name, value in re.findall(r"^\| ([^|]+) \| ([\d.]+) \|", f"{COSTS}\n{PAGE}", re.MULTILINE)
}
ROWS = {row[0]: row[1:] for row in re.findall(r"^\| ([^|]+) \| ([\d,.]+) \| ([\d,.]+) \|$", PAGE, re.MULTILINE)}
HOUR, DAY, MILLION = 3_600, 86_400, 1e6
OVERHEAD = 2  # for what was not measured
PASSES = 3 * 2 * STEPS / 2  # of the two fits without unlabelled reviews, with three passes for two steps
ROUNDS = float(with_settings("default", ())["num_round"])
LINES = REVIEW_LINES + 1 / EXCERPT_EVERY  # of a review in a train channel
PARTS = FOLDS  # five models of four fifths, and one of all: as many reviews as five times all
REQUESTS = 1_000  # a second


def offline(reviews: float) -> dict[str, float]:
    """Return the first table's figures for a number of labelled reviews."""
    preparing = VALUE["count and hash"] + PASSES * VALUE["one pass of the regressions"] + VALUE["encode rows"]
    judging = VALUE["clean and encode"] + VALUE["score in a batch"]
    hours, judging_hours = (OVERHEAD * each / 1_000 * reviews / HOUR for each in (preparing, judging))
    training = OVERHEAD * VALUE["round of training"] / MILLION * ROUNDS * LINES * PARTS * reviews / HOUR
    processor = VALUE["EMR Serverless, vCPU"] + 4 * VALUE["EMR Serverless, memory"]
    channels = VALUE["train channel"] * PARTS * reviews / MILLION
    return {
        "reviews as text, GB": VALUE["text"] * reviews / MILLION,
        "prepare on one machine, processor hours": VALUE["prepare on one machine"] / 1_000 * reviews / HOUR,
        "prepare on one machine, GB of memory": VALUE["memory of the regressions"]
        + VALUE["memory of a review"] * reviews / MILLION,
        "prepare on one machine, GB of temporary files": VALUE["temporary files"] * reviews / MILLION,
        "prepare on Spark, processor hours": hours,
        "prepare on Spark, US dollars": hours * processor,
        "train channels, GB": channels,
        "train channels, US dollars a month": channels * VALUE["S3, storage"],
        "train, processor hours": training,
        "train, US dollars": training * VALUE["ml.m5.4xlarge, training"] / 16,
        "judge on Spark, processor hours": judging_hours,
        "judge on Spark, US dollars": judging_hours * processor,
    }


def online(handler: str, row: str, rows: int) -> dict[str, float]:
    """Return the second table's figures for requests with a handler's time and a number of rows each."""
    endpoint_ms = VALUE[row] * rows
    function_ms = VALUE[handler] / VALUE["vCPU of a function with 1,024 MB"] + endpoint_ms + VALUE["network"]
    a_day = REQUESTS * DAY
    processors = OVERHEAD * REQUESTS * endpoint_ms / 1_000
    return {
        "time of the function, ms": function_ms,
        "concurrent functions": REQUESTS * function_ms / 1_000,
        "processors of the endpoint": processors,
        "API Gateway, US dollars a day": a_day * VALUE["API Gateway, REST API"] / MILLION,
        "Lambda, US dollars a day": a_day
        * (VALUE["Lambda, requests"] / MILLION + function_ms / 1_000 * VALUE["Lambda, x86"]),
        "endpoint on instances, US dollars a day": processors / 8 * VALUE["ml.c5.2xlarge, hosting"] * 24,
        "serverless endpoint, US dollars a day": a_day * endpoint_ms / 1_000 * VALUE["serverless endpoint, 2 GB"],
        "serverless concurrency": REQUESTS * endpoint_ms / 1_000,
    }


def is_documented(name: str, column: int, value: float) -> bool:
    """Return whether a cell of the page has a value, with two significant figures or more."""
    return float(ROWS[name][column].replace(",", "")) == pytest.approx(value, rel=0.03)


@pytest.mark.parametrize(("column", "reviews"), [(0, 10e6), (1, 1e9)])
def test_preparation_training_and_judging_follow_from_the_unit_costs(column: int, reviews: float) -> None:
    for name, value in offline(reviews).items():
        assert is_documented(name, column, value), (name, ROWS[name], value)


def test_serving_follows_from_the_unit_costs() -> None:
    columns = (online("handler, plain", "score alone", 1), online("handler, explained", "score in a batch", 100))
    for column, values in enumerate(columns):
        for name, value in values.items():
            assert is_documented(name, column, value), (name, ROWS[name], value)


def test_the_limits_are_those_of_the_code() -> None:
    rate = stack_template("prod", "x", 0.9)["Parameters"]["RequestsPerSecond"]["Default"]
    for limit in (
        f"`--concurrency {endpoint_config.DEFAULT_CONCURRENCY}`",
        f"{rate} requests a second",
        f"{training_job.VOLUME_GB} GB",
        f"{ROUNDS:,.0f} rounds",
    ):
        assert limit in PAGE, limit
