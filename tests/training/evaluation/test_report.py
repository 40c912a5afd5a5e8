import json
import re
from dataclasses import replace

import pytest

from training.evaluation.evaluate import evaluate
from training.evaluation.learning import learning
from training.evaluation.report import read_alternatives, render
from training.model.run_folder import load_run
from training.model.train import train

PLOTS_OF_A_BASIS = 5  # trade-off, reliability, ROC, and a histogram each of reviews and crops


@pytest.fixture(scope="module")
def evaluated(small_channels, small_hyperparameters, small_data, tmp_path_factory):
    """A run with a learning curve, and its evaluation on the test too."""
    folder = tmp_path_factory.mktemp("reported") / "run"
    train(small_channels, folder, small_hyperparameters)
    learning(folder, small_data, sizes=())
    return load_run(folder), evaluate(folder, small_data, look_at_test=True)


@pytest.fixture(scope="module")
def report(evaluated, tmp_path_factory):
    return render(*evaluated, tmp_path_factory.mktemp("none") / "absent.json")


def test_the_report_needs_nothing_but_itself(report):
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\((?!#)|\bsrc=", report)
    assert set(re.findall(r'href="(?!#)([^"]*)"', report)) <= {"https://ai.stanford.edu/~amaas/data/sentiment/"}
    assert len(report.encode()) < 350_000


def test_every_plot_is_there_and_named(report):
    named = re.findall(r'<svg role="img" aria-label="([^"]+)"', report)
    assert len(named) == report.count("<svg") == 2 * PLOTS_OF_A_BASIS + 2
    assert any("not-sure band" in name or "chosen band" in name for name in named)


def test_ids_are_unique_and_what_refers_to_one_finds_it(report):
    ids = re.findall(r'\bid="([^"]+)"', report)
    assert len(ids) == len(set(ids))
    assert {*re.findall(r'href="#([^"]+)"', report), *re.findall(r"url\(#([^)]+)\)", report)} <= set(ids)


def test_the_inks_are_the_pages_own(report):
    svgs = "".join(re.findall(r"<svg.*?</svg>", report, re.DOTALL))
    assert re.findall(r"#[0-9a-fA-F]{6}\b", svgs) == []


def test_the_last_word_comes_first(report):
    headings = re.findall(r"<h2[^>]*>([^<]+)</h2>", report)
    assert headings == ["Official test", "Cross-validation", "What it goes by", "Training", "Data and limits"]
    assert "was looked at once" in report


def test_figures_are_the_evaluations(report, evaluated):
    _, evaluation = evaluated
    for figures in evaluation.asked.values():
        assert f"{figures.accuracy:.2%}" in report
        assert all(
            f"{group['accuracy']:.1%} <small>of {group['reviews']:,}" in report for group in figures.by_confidence
        )


def test_it_says_what_it_must_not_be_used_for_and_whose_the_reviews_are(report, evaluated):
    run, evaluation = evaluated
    assert "To decide anything about a person." in report
    assert "reviews of the user’s own" in report
    official = "4269a5c4be6ca4cb6d3eae5a5348354535a3ef077fb139504acc705db11a673a"
    prepared = replace(run.record.prepared, data_fingerprint=official)
    told = render(replace(run, record=replace(run.record, prepared=prepared)), evaluation)
    assert "not redistributed here" in told


def test_text_of_reviews_and_terms_is_escaped(evaluated, tmp_path):
    run, evaluation = evaluated
    prepared = replace(run.record.prepared, strongest={"negative": [["<b>dull</b>", -2.0]], "positive": []})
    told = render(replace(run, record=replace(run.record, prepared=prepared)), evaluation, tmp_path / "absent.json")
    assert "&lt;b&gt;dull" in told
    assert "<b>dull" not in told


def test_a_run_that_was_not_asked_about_crops_or_the_test_has_a_report_too(evaluated, tmp_path):
    run, evaluation = evaluated
    whole = {"cross-validation": evaluation.asked["cross-validation"]}
    alone = replace(evaluation, asked=whole, precision={"cross-validation": 0.9}, test_looks=0)
    told = render(replace(run, folder=tmp_path), alone, tmp_path / "absent.json")
    assert told.count("<svg") == PLOTS_OF_A_BASIS - 1 + 1
    assert "a few sentences" not in told
    assert "was not looked at" in told


def test_alternatives_are_shown_beside_the_release_they_were_measured_with_alone(evaluated, tmp_path):
    run, evaluation = evaluated
    release_id = f"{run.record.prepared.vocabulary_fingerprint}-{run.record.model_sha256[:8]}"
    results = [
        {"name": f"Verdict, release {release_id}", "accuracy": 0.91, "package_bytes": 12_300_000, "own_kind": 0.5},
        {"name": "the tutorial", "accuracy": 0.86, "package_bytes": None, "by_rating": {"1": 0.5}},
    ]
    path = tmp_path / "alternatives.json"
    path.write_text(json.dumps({"release": release_id, "results": results}))
    assert read_alternatives(path, release_id) == [
        ["", "test", "packages, MB", "own kind"],
        ["the tutorial", "86.0%", "–", "–"],
        [f"Verdict, release {release_id}", "91.0%", "12.3", "50.0%"],
    ]
    assert "Beside others" in render(run, evaluation, path)
    assert read_alternatives(path, "other") == []
