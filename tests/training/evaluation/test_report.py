import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from chalicelib import release
from training.evaluation.evaluate import Evaluation, evaluate
from training.evaluation.learning_curve import compute_learning_curve
from training.evaluation.report import read_alternatives, render
from training.model.run_folder import Run, load_run
from training.model.train import train

PLOTS_PER_SECTION = 5  # trade-off, reliability, ROC, and histograms of reviews and of excerpts
NO_ALTERNATIVES = Path("no-alternatives.json")


@pytest.fixture(scope="module")
def evaluated(
    small_channels: Path,
    small_hyperparameters: dict[str, str],
    small_data: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Run, Evaluation]:
    """A run with a learning curve, and its evaluation, on the test too."""
    folder = tmp_path_factory.mktemp("reported") / "run"
    train(small_channels, folder, small_hyperparameters)
    compute_learning_curve(folder, small_data, sizes=())
    return load_run(folder), evaluate(folder, small_data, include_test=True)


@pytest.fixture(scope="module")
def report(evaluated: tuple[Run, Evaluation]) -> str:
    return render(*evaluated, NO_ALTERNATIVES)


def test_the_report_is_self_contained(report: str) -> None:
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\((?!#)|\bsrc=", report)
    home, data = "./", "https://ai.stanford.edu/~amaas/data/sentiment/"
    assert set(re.findall(r'href="(?!#)([^"]*)"', report)) <= {home, data}
    assert len(report.encode()) < 350_000


def test_every_plot_has_a_text_alternative(report: str) -> None:
    labels = re.findall(r'<svg role="img" aria-label="([^"]+)"', report)
    assert len(labels) == report.count("<svg") == 2 * PLOTS_PER_SECTION + 2
    assert any("chosen band" in label for label in labels)


def test_ids_are_unique_and_references_have_a_target(report: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', report)
    assert len(ids) == len(set(ids))
    references = {*re.findall(r'href="#([^"]+)"', report), *re.findall(r"url\(#([^)]+)\)", report)}
    assert references <= set(ids)


def test_plots_use_only_the_colours_of_the_page(report: str) -> None:
    svgs = "".join(re.findall(r"<svg.*?</svg>", report, re.DOTALL))
    assert re.findall(r"#[0-9a-fA-F]{6}\b", svgs) == []
    variables = set(re.findall(r"var\((--\w+)\)", svgs))
    assert variables
    assert all(f"{variable}: #" in report for variable in variables)


def test_the_official_test_comes_first(report: str) -> None:
    headings = re.findall(r"<h2[^>]*>([^<]+)</h2>", report)
    assert headings == ["Official test", "Cross-validation", "Strongest terms", "Training", "Data and limits"]
    assert "evaluated on the official test once" in report


def test_the_report_has_the_figures_of_the_evaluation(report: str, evaluated: tuple[Run, Evaluation]) -> None:
    _, evaluation = evaluated
    for figures in evaluation.figures.values():
        assert f"{figures.accuracy:.2%}" in report
        for group in figures.by_confidence:
            assert f"{group['accuracy']:.1%} <small>of {group['reviews']:,}" in report


def test_the_report_states_limits_and_credits_the_data(report: str, evaluated: tuple[Run, Evaluation]) -> None:
    run, evaluation = evaluated
    assert "Decisions about a person." in report
    assert "user’s own labelled reviews" in report
    assert "Treebank" not in report
    assert "What the n-gram weights were learned from" in report
    official = release.load().facts.data_fingerprint  # the packaged release is of the official archive
    prepared = replace(run.record.prepared, data_fingerprint=official, texts={"review": 24_819, "sentence": 8_540})
    of_official = render(replace(run, record=replace(run.record, prepared=prepared)), evaluation, NO_ALTERNATIVES)
    assert "not redistributed here" in of_official
    assert "Stanford Sentiment Treebank" in of_official
    assert "24,819" in of_official


def test_text_of_reviews_and_terms_is_escaped(evaluated: tuple[Run, Evaluation]) -> None:
    run, evaluation = evaluated
    prepared = replace(run.record.prepared, strongest={"negative": [["<b>dull</b>", -2.0]], "positive": []})
    escaped = render(replace(run, record=replace(run.record, prepared=prepared)), evaluation, NO_ALTERNATIVES)
    assert "&lt;b&gt;dull" in escaped
    assert "<b>dull" not in escaped


def test_a_report_may_lack_excerpts_and_the_test(evaluated: tuple[Run, Evaluation], tmp_path: Path) -> None:
    run, evaluation = evaluated
    whole = {"cross-validation": evaluation.figures["cross-validation"]}
    reduced = replace(evaluation, figures=whole, precision={"cross-validation": 0.9}, test_looks=0)
    prepared = replace(run.record.prepared, texts={})
    reduced_run = replace(run, folder=tmp_path, record=replace(run.record, prepared=prepared))
    reduced_report = render(reduced_run, reduced, NO_ALTERNATIVES)
    assert reduced_report.count("<svg") == PLOTS_PER_SECTION - 1 + 1
    assert "excerpts<" not in reduced_report
    assert "not evaluated on the official test" in reduced_report


def test_alternatives_are_shown_for_their_release_only(evaluated: tuple[Run, Evaluation], tmp_path: Path) -> None:
    run, evaluation = evaluated
    release_id = f"{run.record.prepared.vocabulary_fingerprint}-{run.record.model_sha256[:8]}"
    results = [
        {"name": f"Verdict, release {release_id}", "accuracy": 0.91, "excerpts": 0.7, "package_bytes": 12_300_000},
        {"name": "the tutorial", "accuracy": 0.86, "package_bytes": None, "milliseconds": 0.8, "log_loss": 0.31},
    ]
    path = tmp_path / "alternatives.json"
    path.write_text(json.dumps({"release": release_id, "results": results}))
    headings, *rows = read_alternatives(path, release_id)
    shown = [{heading: cell for heading, cell in zip(headings, row, strict=True) if cell != "–"} for row in rows]
    assert shown == [
        {"": "the tutorial", "IMDB test": "86.0%", "log loss": "0.310", "ms per review": "0.80"},
        {"": f"Verdict, release {release_id}", "IMDB test": "91.0%", "excerpts": "70.0%", "packages, MB": "12.3"},
    ]
    assert "Table of alternatives" in render(run, evaluation, path)
    assert read_alternatives(path, "other") == []
