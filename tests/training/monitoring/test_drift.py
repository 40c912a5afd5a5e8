"""Drift on generated reviews, with the packaged model."""

import random
import re
from html.parser import HTMLParser

import pytest

from training.data.synthetic import DRIFTED, USUAL, Style, files
from training.evaluation.packaged_model import PackagedModel, load_packaged_model
from training.monitoring.distributions import Shift
from training.monitoring.domain_classifier import Separation
from training.monitoring.drift import Drift, KnownWords, measure_drift, reasons_for
from training.monitoring.drift_report import render_drift
from training.monitoring.sample import Sides, sample_reviews


def generated(style: Style, count: int = 100) -> list[str]:
    texts = [content.decode() for _, content in files(count, style)]
    random.Random(1).shuffle(texts)
    return texts


def compare(model: PackagedModel, old: list[str], new: list[str]) -> Drift:
    old_sample = sample_reviews("old", old, seed=1)
    return measure_drift(Sides(old_sample, sample_reviews("new.csv", new, seed=1), old_sample), model)


@pytest.fixture(scope="module")
def model() -> PackagedModel:
    return load_packaged_model()


@pytest.fixture(scope="module")
def drifted(model: PackagedModel) -> Drift:
    return compare(model, generated(USUAL), generated(DRIFTED))


@pytest.fixture(scope="module")
def steady(model: PackagedModel) -> Drift:
    texts = generated(USUAL, 200)
    return compare(model, texts[:400], texts[400:])


def test_two_halves_of_the_same_reviews_are_no_drift(steady: Drift) -> None:
    assert steady.judgement == "No drift: no mark is passed."
    assert not steady.is_drift
    assert steady.words == ([], [])
    assert steady.separation.low < 0.6
    assert steady.similarity > 0.99


def test_drifted_reviews_pass_every_mark(drifted: Drift) -> None:
    assert drifted.is_drift
    assert drifted.judgement.startswith("Drift: a classifier separates old from new (AUC ")
    for part in ("the lengths shifted", "the scores shifted", "the verdicts shifted", "known words fell"):
        assert part in drifted.judgement
    assert {"series", "season"} <= {each.word for each in drifted.words.come}
    assert "movie" in {each.word for each in drifted.words.gone}
    assert drifted.similarity < 0.9


def test_small_halves_are_no_drift_either(model: PackagedModel) -> None:
    texts = generated(USUAL)
    assert not compare(model, texts[:100], texts[100:200]).is_drift


def test_each_mark_alone_is_drift() -> None:
    separation = Separation(0.5, 0.45, 0.55, [], [])
    no_shift = Shift("scores", ["a"], [1.0], [1.0], psi=0.0, chance=0.01)
    known = KnownWords(0.98, 0.98, -0.01, 0.01)
    assert reasons_for(separation, {"scores": no_shift}, known) == []
    assert len(reasons_for(separation._replace(auc=0.8, low=0.75), {"scores": no_shift}, known)) == 1
    shift = Shift("scores", ["a"], [1.0], [1.0], psi=0.3, chance=0.01)
    assert reasons_for(separation, {"scores": shift}, known) == ["the scores shifted (PSI 0.30; the mark is 0.25)"]
    assert len(reasons_for(separation, {"scores": no_shift}, KnownWords(0.98, 0.9, 0.07, 0.09))) == 1


def test_the_report_is_self_contained_and_has_no_errors(drifted: Drift, steady: Drift) -> None:
    for drift, heading in ((drifted, "The reviews have drifted"), (steady, "No drift")):
        report = render_drift(drift)
        assert not re.search(r"<script|<link|<img|<iframe|@import|url\((?!#)|\bsrc=", report)
        assert f"<h1>{heading}</h1>" in report
        assert report.count("<svg") == 4
        assert_balanced(report)


def assert_balanced(page: str) -> None:
    """Assert that the elements of a page are closed, and that ids are unique."""
    void = {"meta", "br", "path", "use"}
    open_tags: list[str] = []
    ids: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            ids.extend(value or "" for name, value in attrs if name == "id")
            if tag not in void:
                open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            if tag not in void:
                assert open_tags.pop() == tag

    Parser().feed(page)
    assert open_tags == []
    assert len(ids) == len(set(ids))


def test_words_of_reviews_are_escaped_in_the_report(drifted: Drift) -> None:
    hostile = drifted.words.come[0]._replace(word="<b>&")
    words = drifted.words._replace(come=[hostile])
    report = render_drift(type(drifted)(**{**vars(drifted), "words": words}))
    assert "&lt;b&gt;&amp;" in report
