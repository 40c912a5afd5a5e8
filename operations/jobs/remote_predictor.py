"""Predictions by a run's model on SageMaker, for `evaluate --on batch|endpoint`, verified against local ones."""

from collections.abc import Callable, Sequence

import numpy as np

from chalicelib.errors import SentimentError
from operations.aws.command import Aws
from operations.endpoint.candidate import load_candidate
from operations.jobs import batch_transform, endpoint_scorer
from training.evaluation.predictions import Floats, Predict, predictor

TOLERANCE = 1e-6  # of a probability: the last bits may depend on the processor


class DisagreementError(SentimentError):
    """A model on SageMaker whose scores differ from those of the same model on this machine."""

    type = "answers-differ"
    title = "The remote scores differ from the local ones"


def remote_predictor(aws: Aws, on: str, name: str, instance_type: str, variant: str, stage: str, yes: bool) -> Predict:
    """Return the `Predict` of a run's model in a batch transform job (`on` is `batch`), or behind an endpoint."""
    candidate = load_candidate(name)

    def predict(rows: Sequence[str]) -> Floats:
        if on == "batch":
            return batch_transform.score_in_batch(aws, stage, candidate, rows, instance_type, yes)
        return endpoint_scorer.score_on_endpoint(aws, stage, candidate, variant, rows, yes)

    return verified(predict, predictor(candidate.model, candidate.encoder.columns), aws.print)


def verified(remote: Predict, local: Predict, report: Callable[[str], None]) -> Predict:
    """Return a `Predict` of remote scores that raises `DisagreementError` where a local one differs."""

    def predict(rows: Sequence[str]) -> Floats:
        scores = remote(rows)
        differences = np.abs(scores - local(rows))
        largest = float(differences.max(initial=0.0))
        if largest > TOLERANCE:
            row, count = int(differences.argmax()) + 1, int((differences > TOLERANCE).sum())
            raise DisagreementError(
                f"{count:,} of {len(rows):,} rows have other scores on SageMaker than on this machine, row {row:,} by "
                f"{largest:.3g}: the model differs, or it reads rows differently. Nothing was written."
            )
        report(f"Compared {len(rows):,} remote scores with local ones. The largest difference is {largest:.3g}.")
        return scores

    return predict
