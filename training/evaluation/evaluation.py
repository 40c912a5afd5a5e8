"""What `evaluate` found of a run, as it is kept in the run's folder."""

import json
from dataclasses import asdict, dataclass

from chalicelib.assets import REPORT_NAME as REPORT_NAME
from training.evaluation.metrics import Figures
from training.model.run_folder import Run, RunError

EVALUATION_NAME = "evaluation.json"
HELD_OUT, HELD_OUT_CROPS = "cross-validation", "cross-validation crops"
TEST, TEST_CROPS = "test", "test crops"


@dataclass(frozen=True)
class Evaluation:
    """The figures of a run.

    `asked` has what was held out ("cross-validation"), and the test once that was looked at, each also as one crop of
    every review where the run learned from crops; `test_looks` counts how often this model was scored on the test. The
    band and threshold were chosen on what was held out; `precision` is what the band was to reach there, by what was
    asked.
    """

    run: str
    model_sha256: str
    data_fingerprint: str
    not_sure_band: tuple[float, float]
    few_known_words: float
    precision: dict[str, float]
    test_looks: int
    asked: dict[str, Figures]

    def dumps(self) -> str:
        """Return the text of `evaluation.json`."""
        return json.dumps(asdict(self), indent=1) + "\n"


def load_evaluation(run: Run) -> Evaluation | None:
    """Read the evaluation in a run's folder; None when there is none, or one of another model or other reviews."""
    try:
        stated = json.loads((run.folder / EVALUATION_NAME).read_text(encoding="utf-8"))
        figures = {name: Figures(**by) for name, by in stated["asked"].items()}
        low, high = stated["not_sure_band"]
        evaluation = Evaluation(**{**stated, "asked": figures, "not_sure_band": (low, high)})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise RunError(
            f"{run.folder / EVALUATION_NAME} cannot be read ({error}). Remove it and evaluate again."
        ) from error
    made_of = (evaluation.model_sha256, evaluation.data_fingerprint)
    return evaluation if made_of == (run.record.model_sha256, run.record.prepared.data_fingerprint) else None
