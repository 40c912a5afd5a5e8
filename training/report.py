"""A run's record and evaluation -> one HTML page that needs nothing else: styles, plots and all within it."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from training.evaluation import Evaluation
from training.plots import split_plots, training_plot
from training.run_folder import Record

_FOLDER = Path(__file__).parent
_TEMPLATE = "report.html"


def render(record: Record, evaluation: Evaluation) -> str:
    """Return the report's HTML: the last split that was looked at comes first."""
    environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined)
    environment.filters["percent"] = lambda share, digits=1: f"{share:.{digits}%}"
    splits = dict(reversed(evaluation.splits.items()))
    metric = list(record.history["validation"])[-1]
    return environment.get_template(_TEMPLATE).render(
        record=record,
        evaluation=evaluation,
        splits=splits,
        plots={split: split_plots(split, figures) for split, figures in splits.items()},
        training_plot=training_plot(record.history, metric, record.rounds),
        metric=metric,
    )
