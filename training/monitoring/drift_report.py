"""The drift report: one HTML page with its styles and plots inline."""

from pathlib import Path

from training import atomic
from training.evaluation.report import report_environment
from training.monitoring.distributions import DRIFT, SOME_SHIFT
from training.monitoring.drift import AUC_MARK, KNOWN_WORDS_MARK, Drift
from training.monitoring.drift_plots import drift_plots
from training.monitoring.word_changes import FALSE_DISCOVERY_RATE

WORDS_SHOWN = 25  # that are gone, and that came
_TEMPLATE = "drift_report.html"


def write_drift_report(path: Path, drift: Drift) -> None:
    """Write the report as an HTML file."""
    atomic.write_text(path, render_drift(drift))


def render_drift(drift: Drift) -> str:
    """Return the report's HTML."""
    template = report_environment(Path(__file__).parent).get_template(_TEMPLATE)
    return template.render(
        drift=drift,
        plots=drift_plots(drift),
        shown=WORDS_SHOWN,
        marks={"auc": AUC_MARK, "known_words": KNOWN_WORDS_MARK, "some": SOME_SHIFT, "drift": DRIFT},
        false_share=FALSE_DISCOVERY_RATE,
    )
