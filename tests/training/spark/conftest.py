"""A small corpus, and its preparation here and on Spark in local mode."""

import random
from collections.abc import Iterator
from math import exp
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from training.data.reviews import Review, ShortText, UnlabelledReview, write
from training.features.channels import PreparedChannels
from training.features.prepare import prepare
from training.spark.prepare import prepare_on_spark
from training.spark.session import open_session

REVIEW_WORDS, SENTENCE_WORDS = 60, 15
REVIEWS, UNLABELLED, SENTENCES = 500, 200, 150
SLOTS = 1 << 16
SHARDS = 3


class Preparation(NamedTuple):
    """A folder of channels, and their facts."""

    folder: Path
    facts: PreparedChannels


class Writer:
    """Writes texts of invented words, each with a polarity; unlike those of `training.data.synthetic`, all differ."""

    def __init__(self) -> None:
        self.random = random.Random("corpus")
        syllables = [consonant + vowel for consonant in "bdfgklmnprst" for vowel in "aeiou"]
        self.words = ["".join(self.random.choices(syllables, k=3)) for _ in range(400)]
        self.polarity = {word: self.random.gauss(0, 1) for word in self.words}

    def text(self, label: int, length: int) -> str:
        """Return a text whose words tend to its label, with `very` before some of them."""
        chosen: list[str] = []
        while len(chosen) < length:
            word = self.words[min(int(self.random.paretovariate(0.8)) - 1, len(self.words) - 1)]
            if self.random.random() < 1 / (1 + exp(-2 * self.polarity[word] * (2 * label - 1))):
                chosen += ["very", word] if self.random.random() < 0.1 else [word]
        return " ".join(chosen).capitalize() + "."


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of data with labelled and unlabelled reviews, a repeated review, and sentences."""
    writer, folder = Writer(), tmp_path_factory.mktemp("corpus")
    reviews = [
        Review(split, number // 2, number % 2, None, writer.text(number % 2, REVIEW_WORDS))
        for split, count in (("train", REVIEWS), ("test", 40))
        for number in range(count)
    ]
    reviews.append(Review("train", REVIEWS, 1, None, reviews[-1].text))
    unlabelled = [UnlabelledReview(i, None, writer.text(i % 2, REVIEW_WORDS)) for i in range(UNLABELLED)]
    sentences = [
        ShortText("treebank", "train", i, (0.1, 0.9)[i % 2], i % 3 > 0, writer.text(i % 2, SENTENCE_WORDS))
        for i in range(SENTENCES)
    ]
    write(folder, reviews, "invented words", unlabelled, sentences)
    return folder


@pytest.fixture(scope="session")
def prepared_here(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Preparation:
    """The channels that this machine's processes write."""
    folder = tmp_path_factory.mktemp("here")
    return Preparation(folder, prepare(corpus, folder, slots=SLOTS))


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A Spark session in local mode."""
    with open_session("local[2]", {"spark.driver.memory": "1g"}) as session:
        yield session


@pytest.fixture(scope="session")
def prepared_on_spark(spark: Any, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Preparation:
    """The channels that Spark writes."""
    folder = tmp_path_factory.mktemp("spark")
    return Preparation(folder, prepare_on_spark(spark, str(corpus), str(folder), slots=SLOTS, shards=SHARDS))
