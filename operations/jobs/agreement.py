"""The same rows scored there and here: every answer of a model on SageMaker must be the one that it gives here."""

from collections.abc import Callable, Sequence

import numpy as np

from chalicelib.errors import SentimentError
from training.evaluation.predictions import Floats, Predict

TOLERANCE = 1e-6  # of a probability: the last bits may depend on the processor


class DisagreementError(SentimentError):
    """A model on SageMaker answers a row otherwise than the run's model does here."""

    type = "answers-differ"
    title = "The model there is not the one here"


def agreeing(there: Predict, here: Predict, say: Callable[[str], None]) -> Predict:
    """Make a `Predict` that asks both, says how far apart they are at most, and gives what was said there.

    Raises `DisagreementError` for a difference above `TOLERANCE`.
    """

    def predict(rows: Sequence[str]) -> Floats:
        said = there(rows)
        apart = np.abs(said - here(rows))
        largest = float(apart.max(initial=0.0))
        if largest > TOLERANCE:
            row, differing = int(apart.argmax()) + 1, int((apart > TOLERANCE).sum())
            raise DisagreementError(
                f"{differing:,} of {len(rows):,} rows score otherwise there than here, row {row:,} by {largest:.3g}: "
                "it is another model, or it reads rows in another way. Nothing was written."
            )
        say(f"Scored there and here: {len(rows):,} rows. The largest difference is {largest:.3g}.")
        return said

    return predict
