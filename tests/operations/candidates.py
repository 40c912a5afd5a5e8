"""Candidates for deployment: small models with one vocabulary, or another."""

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy

import numpy as np
import xgboost

from chalicelib.encoder import Encoder
from chalicelib.vocabulary import Vocabulary
from operations.aws import names
from operations.aws.command import Aws
from operations.endpoint import canary
from operations.endpoint.candidate import PACKAGED_NAME, Candidate
from operations.endpoint.endpoint_state import DeployedEndpoint
from training.model import missing_values
from training.model.canary import score_canary

WORDS = ("superb", "moving", "dull", "boring", "horrible", "wonderful")


def small_candidate(name: str = PACKAGED_NAME, seed: int = 1, terms: tuple[str, ...] = WORDS) -> Candidate:
    """Train a model on six words; each seed gives a different one."""
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
    return Candidate(
        name, missing_values.make_missing_invariant(bytes(booster.save_raw("ubj")), 0, encoder.first_derived), encoder
    )


@contextmanager
def constant_requests(aws: Aws, endpoint: str, candidate: Candidate) -> Iterator[list[str]]:
    """Send requests to an endpoint from two threads during the block; failures are appended to the list."""
    stop, failures, row = threading.Event(), [], score_canary(candidate.model, candidate.encoder).rows[0]

    def send() -> None:
        while not stop.is_set():
            try:
                canary.score_rows(aws.account, endpoint, [row])
            except canary.CanaryError as error:
                failures.append(error.detail)

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield failures
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def serves(aws: Aws, endpoint: DeployedEndpoint, candidate: Candidate) -> bool:
    """Return whether an endpoint passes a candidate's canary check."""
    return canary.verify(aws.account, endpoint.name, score_canary(candidate.model, candidate.encoder)) == 0


def interrupt(_seconds: float) -> None:
    """A pause that is interrupted by Ctrl-C."""
    raise KeyboardInterrupt


def interrupted(aws: Aws) -> Aws:
    """Return the same connection, with Ctrl-C in the first pause."""
    connection = copy(aws)
    connection.pause = interrupt
    return connection


def printed(aws: Aws) -> str:
    """Return the printed text, without line breaks."""
    return " ".join(aws.console.file.getvalue().split())  # type: ignore[attr-defined]


def resources_of(aws: Aws, stage: str) -> list[str]:
    """Return the names of a stage's endpoints, configurations and models."""
    sagemaker, name = aws.account.client("sagemaker"), names.prefix(stage)
    return [
        *(found["EndpointName"] for found in sagemaker.list_endpoints(NameContains=name)["Endpoints"]),
        *(
            found["EndpointConfigName"]
            for found in sagemaker.list_endpoint_configs(NameContains=name)["EndpointConfigs"]
        ),
        *(found["ModelName"] for found in sagemaker.list_models(NameContains=name)["Models"]),
    ]


class AnswerAfter(io.StringIO):
    """A terminal whose user runs another command while a prompt waits, and then confirms."""

    def __init__(self, command: Callable[[], object]) -> None:
        super().__init__()
        self._command = command

    def readline(self, _size: int | None = -1) -> str:
        """Run the other command, and confirm."""
        self._command()
        return "y\n"
