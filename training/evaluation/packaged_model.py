"""The packaged release and its model on this machine, to score texts without labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chalicelib.encoder import Encoder
from chalicelib.errors import ReleaseError
from chalicelib.release import Release, load
from chalicelib.text import words
from training.evaluation.evaluate import loads_evaluation
from training.evaluation.metrics import Figures
from training.evaluation.predictions import Floats, Predict, predictor
from training.model.run_folder import MODEL_NAME
from training.project import ROOT

MODEL_FOLDER = Path("model")
FIGURES_NAME = "report.json"


@dataclass(frozen=True)
class ScoringModel:
    """An encoder, and its model as a function of libsvm rows."""

    encoder: Encoder
    predict: Predict

    def score(self, texts: Sequence[str]) -> Floats:
        """Return the probability of positive (0..1) of each text, as the app computes it."""
        return self.score_words([words(text) for text in texts])

    def score_words(self, texts: Sequence[Sequence[str]]) -> Floats:
        """Return the probability of positive (0..1) of each text, given as its words."""
        return self.predict([self.encoder.row(text) for text in texts])


@dataclass(frozen=True)
class PackagedModel(ScoringModel):
    """The packaged release with its model."""

    release: Release


def load_packaged_model(model_folder: Path = ROOT / MODEL_FOLDER) -> PackagedModel:
    """Read the packaged release and its model; raises `ReleaseError` if they do not belong together."""
    release = load()
    predict = predictor(packaged_model(release, model_folder), release.encoder.columns)
    return PackagedModel(release.encoder, predict, release)


def packaged_model(packaged: Release, model_folder: Path = MODEL_FOLDER) -> bytes:
    """Read the model of the packaged release; raises `ReleaseError` if it is missing or another one."""
    try:
        model = (model_folder / MODEL_NAME).read_bytes()
    except OSError as error:
        raise ReleaseError(f"Cannot read the model {model_folder / MODEL_NAME}: {error}.") from error
    packaged.check_model(model)
    return model


def packaged_figures(packaged: Release, model_folder: Path = MODEL_FOLDER) -> dict[str, Figures]:
    """Read the figures of the packaged release, by name of set; raises `ReleaseError` if they are of another model."""
    path = model_folder / FIGURES_NAME
    try:
        evaluation = loads_evaluation(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ReleaseError(f"Cannot read the figures in {path}: {error}.") from error
    if evaluation.model_sha256 != packaged.facts.model_sha256:
        raise ReleaseError(f"{path} has the figures of another model. Package the release again.")
    return evaluation.figures
