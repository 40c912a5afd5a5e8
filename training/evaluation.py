"""What `evaluate` found of a run, as it is kept in the run's folder."""

import json
from dataclasses import asdict, dataclass

from training.metrics import Figures
from training.run_folder import Run, RunError

EVALUATION_NAME = "evaluation.json"
REPORT_NAME = "report.html"


@dataclass(frozen=True)
class Evaluation:
    """The figures of a run.

    `splits` has validation, and test once that was looked at; `test_looks` counts how often this model was scored on
    it. The band and threshold were chosen on validation; `precision` is what the band was to reach.
    """

    run: str
    model_sha256: str
    data_fingerprint: str
    not_sure_band: tuple[float, float]
    few_known_words: float
    precision: float
    test_looks: int
    splits: dict[str, Figures]

    def dumps(self) -> str:
        """Return the text of `evaluation.json`."""
        return json.dumps(asdict(self), indent=1) + "\n"


def load_evaluation(run: Run) -> Evaluation | None:
    """Read the evaluation in a run's folder; None when there is none, or one of another model or other reviews."""
    try:
        stated = json.loads((run.folder / EVALUATION_NAME).read_text(encoding="utf-8"))
        figures = {split: Figures(**by) for split, by in stated["splits"].items()}
        low, high = stated["not_sure_band"]
        evaluation = Evaluation(**{**stated, "splits": figures, "not_sure_band": (low, high)})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise RunError(
            f"{run.folder / EVALUATION_NAME} cannot be read ({error}). Remove it and evaluate again."
        ) from error
    made_of = (evaluation.model_sha256, evaluation.data_fingerprint)
    return evaluation if made_of == (run.record.model_sha256, run.record.data_fingerprint) else None
