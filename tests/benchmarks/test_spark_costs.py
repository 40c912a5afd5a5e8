import numpy as np
import pytest

from benchmarks import spark_costs
from benchmarks.made_up_reviews import made_up_texts
from training.data.reviews import Review


@pytest.fixture(scope="module")
def reviews() -> list[Review]:
    """A few made-up reviews, of both labels in turn."""
    labels = [1, -1] * 10
    texts = made_up_texts(np.array(labels), 3)
    return [Review("train", number, number % 2, None, text) for number, text in enumerate(texts)]


def test_every_step_has_a_cost(reviews: list[Review]) -> None:
    found = spark_costs.preparation(reviews)
    assert all(value > 0 for value in found.values())
    assert found["n-grams of a review and its excerpts"] > 100
    assert set(spark_costs.scoring(reviews)) >= {"score in a batch, ms", "score alone, ms"}
