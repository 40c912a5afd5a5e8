"""The packaged release: its parts belong together, it judges plain sentences rightly, and training gives it again."""

import json
import random
from functools import partial
from pathlib import Path

import pytest
import xgboost

from chalicelib import release
from chalicelib.text import words
from training.data import collect
from training.features import prepare
from training.hyperparameters import parse
from training.release import FIGURES_NAME, MODEL_FOLDER, XGBOOST_VERSION
from training.reviews import REVIEWS_NAME
from training.run_folder import MODEL_NAME
from training.scoring import load_booster, matrix, score
from training.splits import assign

ROOT = Path(__file__).parents[2]
FLOOR = 0.905  # accuracy on the official test


@pytest.fixture(scope="module")
def packaged():
    return release.load()


@pytest.fixture(scope="module")
def model():
    return (ROOT / MODEL_FOLDER / MODEL_NAME).read_bytes()


@pytest.fixture(scope="module")
def score_of(packaged, model):
    booster = load_booster(model)

    def ask(text):
        row = packaged.vocabulary.row(words(text))
        return float(booster.predict(xgboost.DMatrix(matrix([row], packaged.facts.columns)))[0])

    return ask


def test_the_parts_belong_together(packaged, model):
    packaged.check_model(model)
    assert load_booster(model).num_features() == packaged.facts.columns
    assert packaged.facts.xgboost_version == XGBOOST_VERSION == xgboost.__version__
    assert parse(packaged.facts.hyperparameters)


def test_the_report_is_of_this_model(packaged):
    figures = json.loads((ROOT / MODEL_FOLDER / FIGURES_NAME).read_text(encoding="utf-8"))
    assert figures["model_sha256"] == packaged.facts.model_sha256
    assert packaged.facts.model_sha256[:12] in (ROOT / MODEL_FOLDER / "report.html").read_text(encoding="utf-8")
    for split, stated in packaged.facts.metrics.items():
        assert stated["accuracy"] == round(figures["splits"][split]["accuracy"], 4)


def test_the_model_card_states_the_figures_of_this_release(packaged):
    card = (ROOT / "docs" / "model-card.md").read_text(encoding="utf-8")
    assert packaged.release_id in card
    low, high = packaged.facts.not_sure_band
    assert f"between {low} and {high}" in card
    for stated in packaged.facts.metrics.values():
        for name in ("accuracy", "calibration_error", "answered", "answered_accuracy"):
            assert f"{stated[name]:.2%}".replace("%", " %") in card
        assert all(str(stated[name]) in card for name in ("auc", "log_loss"))


def test_the_stated_accuracy_is_above_the_floor(packaged):
    assert packaged.facts.metrics["test"]["accuracy"] >= FLOOR
    assert packaged.facts.metrics["test"]["reviews"] == 25_000


@pytest.mark.parametrize("text", ["This movie is horrible.", "not good at all", "What a waste of time!", "terrible"])
def test_plain_negative_sentences_are_below_the_band(packaged, score_of, text):
    assert score_of(text) <= packaged.facts.not_sure_band[0]


@pytest.mark.parametrize("text", ["One of the best films I have ever seen", "I loved it", "A masterpiece.", "great"])
def test_plain_positive_sentences_are_above_the_band(packaged, score_of, text):
    assert score_of(text) >= packaged.facts.not_sure_band[1]


@pytest.mark.parametrize("frame", ["The film was {}.", "I thought the acting was {}.", "A {} movie with a {} script."])
@pytest.mark.parametrize(("better", "worse"), [("great", "awful"), ("wonderful", "dull"), ("excellent", "terrible")])
def test_a_kinder_word_never_lowers_the_score(score_of, frame, better, worse):
    assert score_of(frame.replace("{}", better)) > score_of(frame.replace("{}", worse))


@pytest.mark.parametrize(
    "variant",
    [str.upper, lambda text: text.replace(" ", "\n  "), lambda text: f"<p>{text}</p><br />", lambda text: f"“{text}”"],
)
def test_case_space_and_markup_change_nothing(score_of, variant):
    text = "I didn't expect much, but this was a moving and well acted film. 8/10"
    assert score_of(variant(text)) == score_of(text)


def test_the_order_of_sentences_hardly_matters(score_of):
    sentences = ["The plot is thin.", "The cast saves it.", "I laughed a lot.", "It is far too long.", "Worth seeing."]
    scores = []
    for seed in range(10):
        random.Random(seed).shuffle(sentences)
        scores.append(score_of(" ".join(sentences)))
    assert max(scores) - min(scores) < 0.25


@pytest.mark.needs_archive
def test_preparing_the_official_reviews_gives_the_packaged_vocabulary_and_scores(packaged, model, archive, tmp_path):
    manifest = collect(archive, tmp_path / "data", official=True)
    assert manifest.fingerprint == packaged.facts.data_fingerprint
    assert prepare(tmp_path / "data", tmp_path / "channels").vocabulary_fingerprint == packaged.vocabulary.fingerprint
    path = tmp_path / "data" / REVIEWS_NAME
    ask = partial(score, load_booster(model), packaged.vocabulary, path, assign(path))
    for split in ("validation", "test"):
        scored = ask(split)
        accuracy = ((scored.probabilities > 0.5) == scored.labels).mean()
        assert round(float(accuracy), 4) == packaged.facts.metrics[split]["accuracy"]
