"""Canary reviews: rows with recorded scores, to verify that a deployed model returns the same scores.

The last row lacks column 0. Container images that count from the smallest index of a request shift it and return a
confident, wrong score, if it is alone in its request; no other row shows this defect.
"""

import hashlib
import json
from dataclasses import asdict, dataclass

import xgboost

from chalicelib.encoder import Encoder
from chalicelib.text import words
from training.evaluation.predictions import load_booster, matrix

CANARY_NAME = "canary.json"
TEXTS = (
    "One of the best films I have ever seen",
    "This movie is horrible.",
    "Not good at all.",
    "The first half drags, but the ending is earned and nobody explains anything twice. I would see it again.",
    "zxcv qwrt plok",
)


@dataclass(frozen=True)
class Canary:
    """Rows, and the score of each by one model."""

    model_sha256: str
    rows: list[str]
    scores: list[float]

    def dumps(self) -> str:
        """Return the text of `canary.json`."""
        return json.dumps(asdict(self), indent=1) + "\n"


def rows_of(encoder: Encoder) -> list[str]:
    """Return the rows of the canary texts, and the first row again without its leading constant."""
    rows = [encoder.row(words(text)) for text in TEXTS]
    return [*rows, rows[0].removeprefix("0:1 ")]


def score_canary(model: bytes, encoder: Encoder) -> Canary:
    """Score the canary rows with a model (UBJSON) on this machine."""
    rows = rows_of(encoder)
    scores = load_booster(model).predict(xgboost.DMatrix(matrix(rows, encoder.columns), nthread=1))
    return Canary(hashlib.sha256(model).hexdigest(), rows, scores.astype(float).tolist())
