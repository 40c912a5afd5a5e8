"""Scores from SageMaker, verified against those of the same model on this machine."""

import numpy as np
import pytest

from operations.jobs.remote_predictor import DisagreementError, verified


def test_different_scores_are_an_error_that_names_the_row() -> None:
    remote, local = (lambda rows: np.array([0.5, 0.25, 0.75])), (lambda rows: np.array([0.5, 0.2500005, 0.7]))
    with pytest.raises(DisagreementError, match=r"row 3 by 0\.05"):
        verified(remote, local, print)(["a", "b", "c"])


def test_a_difference_in_the_last_bits_is_accepted() -> None:
    messages: list[str] = []
    scores = verified(lambda rows: np.array([0.5]), lambda rows: np.array([0.5 + 1e-7]), messages.append)(["a"])
    assert scores.tolist() == [0.5]
    assert "1e-07" in messages[0]
