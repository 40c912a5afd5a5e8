"""What `learning` found of a run, as it is kept in the run's folder."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from training.model.run_folder import Run, RunError

LEARNING_NAME = "learning.json"


@dataclass(frozen=True)
class Point:
    """How well a model of so many reviews does in cross-validation, where each fold's model has four fifths of them.

    `error` is the standard error of `accuracy`; the two of `crops` are of one crop of each review, None where the run
    was not asked about crops. All are shares, 0..1.
    """

    reviews: int
    accuracy: float
    error: float
    crops: float | None
    crops_error: float | None


@dataclass(frozen=True)
class LearningCurve:
    """The points of a run, fewest reviews first; the last is the run itself."""

    model_sha256: str
    points: Sequence[Point]

    def dumps(self) -> str:
        """Return the text of `learning.json`."""
        return json.dumps(asdict(self), indent=1) + "\n"


def load_learning_curve(run: Run) -> LearningCurve | None:
    """Read the learning curve in a run's folder; None when there is none, or one of another model."""
    path = run.folder / LEARNING_NAME
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
        curve = LearningCurve(stated["model_sha256"], [Point(**point) for point in stated["points"]])
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise RunError(f"{path} cannot be read ({error}). Remove it and run `verdict learning`.") from error
    return curve if curve.model_sha256 == run.record.model_sha256 else None
