"""The packaged release and its model on this machine, to score texts without labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chalicelib.release import Release, load
from chalicelib.sentiment import MAX_REVIEW_LENGTH
from chalicelib.text import words
from training.evaluation.predictions import Floats, Predict, predictor
from training.model.run_folder import MODEL_NAME
from training.project import ROOT

MODEL_FOLDER = ROOT / "model"


@dataclass(frozen=True)
class PackagedModel:
    """A release, and its model as a function of libsvm rows."""

    release: Release
    predict: Predict

    def score(self, texts: Sequence[str]) -> Floats:
        """Return the probability of positive (0..1) of each text, as the app computes it."""
        return self.score_words([words(text[:MAX_REVIEW_LENGTH]) for text in texts])

    def score_words(self, texts: Sequence[Sequence[str]]) -> Floats:
        """Return the probability of positive (0..1) of each text, given as its words."""
        return self.predict([self.release.encoder.row(text) for text in texts])


def load_packaged_model(model_folder: Path = MODEL_FOLDER) -> PackagedModel:
    """Read the packaged release and its model; raises `ReleaseError` if they do not belong together."""
    release = load()
    model = (model_folder / MODEL_NAME).read_bytes()
    release.check_model(model)
    return PackagedModel(release, predictor(model, release.encoder.columns))
