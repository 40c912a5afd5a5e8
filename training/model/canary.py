"""Canary reviews: rows whose scores are recorded with a release, for whoever must know that a model answers as it did.

One row lacks the lowest column. Images that count from the smallest index they see would shift it, and answer with a
confident, wrong score; nothing else would show it.
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
    """Rows and the score that each must get, of one model."""

    model_sha256: str
    rows: list[str]
    scores: list[float]

    def dumps(self) -> str:
        """Return the text of `canary.json`."""
        return json.dumps(asdict(self), indent=1) + "\n"


def rows_of(encoder: Encoder) -> list[str]:
    """Return the canary rows: of the texts, and the first one's without the constant that opens it."""
    rows = [encoder.row(words(text)) for text in TEXTS]
    return [*rows, rows[0].removeprefix("0:1 ")]


def score_canary(model: bytes, encoder: Encoder) -> Canary:
    """Score the canary rows with xgboost on this machine."""
    rows = rows_of(encoder)
    scores = load_booster(model).predict(xgboost.DMatrix(matrix(rows, encoder.columns), nthread=1))
    return Canary(hashlib.sha256(model).hexdigest(), rows, scores.astype(float).tolist())
