"""Candidates to put behind endpoints: small models of one vocabulary, and one of another."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import xgboost

from chalicelib.encoder import Encoder
from chalicelib.vocabulary import Vocabulary
from operations.aws.command import Aws
from operations.endpoint import canary
from operations.endpoint.candidate import PACKAGED_NAME, Candidate
from operations.endpoint.endpoint_state import DeployedEndpoint
from training.model import missing_values
from training.model.canary import computed

WORDS = ("superb", "moving", "dull", "boring", "horrible", "wonderful")


def small_candidate(name: str = PACKAGED_NAME, seed: int = 1, terms: tuple[str, ...] = WORDS) -> Candidate:
    """A model of six words that says something different for every seed."""
    encoder = Encoder(Vocabulary(terms, (0.0,) * len(terms)), None)
    chance = np.random.default_rng(seed)
    present = np.where(chance.random((200, encoder.columns)) < 0.5, 1.0, np.nan)
    present[:, [0, -1]] = 1.0
    labels = chance.integers(0, 2, 200)
    booster = xgboost.train(
        {"objective": "binary:logistic", "max_depth": 3, "seed": seed, "nthread": 1},
        xgboost.DMatrix(present, labels),
        num_boost_round=4,
    )
    return Candidate(name, missing_values.level(bytes(booster.save_raw("ubj")), 0, encoder.first_derived), encoder)


@contextmanager
def asked_meanwhile(aws: Aws, endpoint: str, one: Candidate) -> Iterator[list[str]]:
    """Ask an endpoint from two threads while the block runs; the list gets every failure."""
    stop, failures, row = threading.Event(), [], computed(one.model, one.encoder).rows[0]

    def ask() -> None:
        while not stop.is_set():
            try:
                canary.ask(aws.account, endpoint, [row])
            except canary.CanaryError as error:
                failures.append(error.detail)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield failures
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def serves(aws: Aws, found: DeployedEndpoint, one: Candidate) -> bool:
    return canary.check(aws.account, found.name, computed(one.model, one.encoder)) == 0
