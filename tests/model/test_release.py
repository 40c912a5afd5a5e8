"""The packaged release: its parts fit together, it behaves on plain sentences, and training reproduces it."""

import json
import random
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
import xgboost

from chalicelib import release
from chalicelib.release import NGRAM_TABLE_NAME, REPORT_NAME, VOCABULARY_NAME, Release
from chalicelib.text import words
from training.data.collect import Additions, collect
from training.data.excerpts import excerpts_of
from training.data.reviews import REVIEWS_NAME, Manifest, read
from training.data.splits import assign
from training.evaluation.metrics import measure
from training.evaluation.packaged_model import FIGURES_NAME, MODEL_FOLDER
from training.evaluation.predictions import load_booster, matrix, predictor, score_test
from training.features.prepare import prepare
from training.model.hyperparameters import parse
from training.model.missing_values import count_changed, is_missing_invariant
from training.model.run_folder import MODEL_NAME
from training.project import ROOT
from training.release import XGBOOST_VERSION

GOLDEN = Path(__file__).with_name("golden.json")  # `python -m tests.model.golden` writes it again
FLOORS = {  # accuracy
    "test": 0.927,
    "test crops": 0.775,
    "test sentences": 0.854,
    "cross-validation": 0.915,
    "cross-validation crops": 0.77,
    "cross-validation sentences": 0.83,
}
LARGEST_LOG_LOSS = 0.19  # on the official test
LARGEST_CALIBRATION_ERRORS = {"test": 0.01, "test sentences": 0.046}
PRECISION_FLOORS = {"test": 0.96, "test crops": 0.85, "test sentences": 0.92}  # outside the band

Score = Callable[[str], float]


@pytest.fixture(scope="module")
def packaged() -> Release:
    return release.load()


@pytest.fixture(scope="module")
def model() -> bytes:
    return (ROOT / MODEL_FOLDER / MODEL_NAME).read_bytes()


@pytest.fixture(scope="module")
def score_of(packaged: Release, model: bytes) -> Score:
    booster = load_booster(model)

    def score(text: str) -> float:
        row = packaged.encoder.row(words(text))
        return float(booster.predict(xgboost.DMatrix(matrix([row], packaged.facts.columns)))[0])

    return score


def test_the_parts_fit_together(packaged: Release, model: bytes) -> None:
    packaged.check_model(model)
    assert load_booster(model).num_features() == packaged.facts.columns
    assert packaged.facts.xgboost_version == XGBOOST_VERSION == xgboost.__version__
    assert parse(packaged.facts.hyperparameters)


def test_the_report_is_of_this_model(packaged: Release) -> None:
    figures = json.loads((ROOT / MODEL_FOLDER / FIGURES_NAME).read_text(encoding="utf-8"))
    assert figures["model_sha256"] == packaged.facts.model_sha256
    report = (release.PACKAGED / REPORT_NAME).read_text(encoding="utf-8")
    assert packaged.facts.model_sha256 in report
    for name, stated in packaged.facts.metrics.items():
        accuracy = figures["asked"][name]["accuracy"]
        assert stated["accuracy"] == round(accuracy, 4)
        assert f"{accuracy:.2%}" in report


def test_the_model_card_has_the_figures_of_this_release(packaged: Release) -> None:
    card = (ROOT / "docs" / "model-card.md").read_text(encoding="utf-8")
    assert packaged.release_id in card
    low, high = packaged.facts.not_sure_band
    assert f"between {low} and {high}" in card
    for stated in packaged.facts.metrics.values():
        for name in ("accuracy", "calibration_error", "answered", "answered_accuracy"):
            assert f"{stated[name]:.2%}" in card
        assert all(str(stated[name]) in card for name in ("auc", "log_loss"))


@pytest.mark.parametrize("name", FLOORS)
def test_the_stated_accuracy_is_above_its_floor(packaged: Release, name: str) -> None:
    assert packaged.facts.metrics[name]["accuracy"] >= FLOORS[name]


def test_the_figures_of_the_official_test_are_within_limits(packaged: Release) -> None:
    stated = packaged.facts.metrics["test"]
    assert stated["reviews"] == 25_000
    assert stated["log_loss"] < LARGEST_LOG_LOSS


@pytest.mark.parametrize("name", LARGEST_CALIBRATION_ERRORS)
def test_the_stated_probabilities_are_calibrated(packaged: Release, name: str) -> None:
    assert packaged.facts.metrics[name]["calibration_error"] <= LARGEST_CALIBRATION_ERRORS[name]


@pytest.mark.parametrize("name", PRECISION_FLOORS)
def test_the_stated_precision_is_above_its_floor(packaged: Release, name: str) -> None:
    assert packaged.facts.metrics[name]["answered_accuracy"] >= PRECISION_FLOORS[name]


def test_missing_and_zero_are_alike_at_every_split(packaged: Release, model: bytes) -> None:
    assert is_missing_invariant(model, 0, packaged.encoder.first_derived)


def test_every_derived_column_is_used_and_no_constant_is(packaged: Release, model: bytes) -> None:
    trees = json.loads(xgboost.Booster(model_file=bytearray(model)).save_raw("json"))
    used = {
        column
        for tree in trees["learner"]["gradient_booster"]["model"]["trees"]
        for column, left in zip(tree["split_indices"], tree["left_children"], strict=True)
        if left != -1
    }
    assert not used & {0, packaged.encoder.last_column}
    assert used >= set(range(packaged.encoder.first_derived, packaged.encoder.last_column))


def test_golden_texts_have_their_rows_and_scores(packaged: Release, model: bytes) -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert golden["release"] == packaged.release_id
    rows = [packaged.encoder.row(words(text["text"])) for text in golden["texts"]]
    assert rows == [text["row"] for text in golden["texts"]]
    scores = load_booster(model).predict(xgboost.DMatrix(matrix(rows, packaged.facts.columns)))
    assert scores.tolist() == pytest.approx([text["score"] for text in golden["texts"]], rel=1e-6)


@pytest.mark.parametrize("text", ["This movie is horrible.", "not good at all", "What a waste of time!", "terrible"])
def test_plain_negative_sentences_are_below_the_band(packaged: Release, score_of: Score, text: str) -> None:
    assert score_of(text) <= packaged.facts.not_sure_band[0]


@pytest.mark.parametrize("text", ["One of the best films I have ever seen", "I loved it", "A masterpiece.", "great"])
def test_plain_positive_sentences_are_above_the_band(packaged: Release, score_of: Score, text: str) -> None:
    assert score_of(text) >= packaged.facts.not_sure_band[1]


@pytest.mark.parametrize("frame", ["The film was {}.", "I thought the acting was {}.", "A {} movie with a {} script."])
@pytest.mark.parametrize(("better", "worse"), [("great", "awful"), ("wonderful", "dull"), ("excellent", "terrible")])
def test_a_kinder_word_raises_the_score(score_of: Score, frame: str, better: str, worse: str) -> None:
    assert score_of(frame.replace("{}", better)) > score_of(frame.replace("{}", worse))


@pytest.mark.parametrize(
    "variant",
    [str.upper, lambda text: text.replace(" ", "\n  "), lambda text: f"<p>{text}</p><br />", lambda text: f"“{text}”"],
)
def test_case_space_and_markup_change_nothing(score_of: Score, variant: Callable[[str], str]) -> None:
    text = "I didn't expect much, but this was a moving and well acted film. 8/10"
    assert score_of(variant(text)) == score_of(text)


def test_the_order_of_sentences_hardly_matters(score_of: Score) -> None:
    sentences = ["The plot is thin.", "The cast saves it.", "I laughed a lot.", "It is far too long.", "Worth seeing."]
    scores = []
    for seed in range(10):
        random.Random(seed).shuffle(sentences)
        scores.append(score_of(" ".join(sentences)))
    assert max(scores) - min(scores) < 0.25


@pytest.mark.parametrize("praise", ["I loved it.", "Wonderful acting.", "A masterpiece.", "Highly recommended!"])
@pytest.mark.parametrize("text", ["We saw it on Sunday with friends.", "The plot is thin and I nearly left."])
def test_added_praise_raises_the_score(score_of: Score, text: str, praise: str) -> None:
    assert score_of(f"{text} {praise}") > score_of(text) + 0.1


@pytest.mark.parametrize("blame", ["I hated it.", "Awful acting.", "A waste of time.", "Avoid this one!"])
@pytest.mark.parametrize("text", ["We saw it on Sunday with friends.", "The plot is thin but it has its moments."])
def test_added_blame_lowers_the_score(score_of: Score, text: str, blame: str) -> None:
    assert score_of(f"{text} {blame}") < score_of(text) - 0.1


@pytest.mark.parametrize("frame", ["{} plays the detective, and the film is superb.", "A dull film that {} made."])
def test_an_unknown_name_hardly_changes_the_score(score_of: Score, frame: str) -> None:
    scores = [score_of(frame.replace("{}", name)) for name in ("Qarvo Zellinth", "Bhx Ummeril", "Yttria Pnokk")]
    assert max(scores) - min(scores) < 0.05


@pytest.mark.parametrize("frame", ["I saw this wonderful film on {}.", "I saw this terrible film on {}."])
def test_a_date_hardly_changes_the_score(score_of: Score, frame: str) -> None:
    scores = [score_of(frame.replace("{}", date)) for date in ("3 May 2004", "21 November 1998", "12 June 2021")]
    assert max(scores) - min(scores) < 0.1
    assert all(score > 0.5 for score in scores) if "wonderful" in frame else all(score < 0.5 for score in scores)


def test_typographic_quotes_change_nothing(score_of: Score) -> None:
    assert score_of("I didn’t like it, and it’s no “classic”.") == score_of(
        "I didn't like it, and it's no \"classic\"."
    )


@pytest.mark.parametrize(
    ("plain", "negated"), [("good", "not good"), ("funny", "not funny"), ("worth it", "not worth it")]
)
def test_a_negation_reverses_praise(packaged: Release, score_of: Score, plain: str, negated: str) -> None:
    assert score_of(f"It was {negated}.") < min(score_of(f"It was {plain}."), packaged.facts.not_sure_band[0])


@pytest.mark.parametrize("text", ["It was not bad.", "Not bad at all.", "This isn't bad."])
def test_a_negation_softens_blame(score_of: Score, text: str) -> None:
    blame = text.replace("not bad", "bad").replace("Not bad", "Bad").replace("isn't bad", "is bad")
    assert score_of(text) > score_of(blame)


def test_a_negation_turns_blame_into_praise(score_of: Score) -> None:
    assert score_of("It was not bad.") > 0.5


@pytest.fixture(scope="module")
def collected(archive: Path, treebank: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    folder = tmp_path_factory.mktemp("official")
    return folder, collect(archive, folder, official=True, additions=Additions(treebank=treebank))


@pytest.mark.needs_archive
@pytest.mark.needs_treebank
def test_the_official_test_gives_the_stated_figures(
    packaged: Release, model: bytes, collected: tuple[Path, Manifest]
) -> None:
    path = collected[0] / REVIEWS_NAME
    split = score_test(predictor(model, packaged.encoder.columns), packaged.encoder, path, assign(path))
    for name, scored in (("test", split.reviews), ("test crops", split.excerpts), ("test sentences", split.sentences)):
        assert scored
        assert measure(scored, packaged.facts.not_sure_band).headline() == packaged.facts.metrics[name]


@pytest.mark.needs_archive
@pytest.mark.needs_treebank
def test_zeros_for_missing_change_no_answer_on_the_official_test(
    packaged: Release, model: bytes, collected: tuple[Path, Manifest]
) -> None:
    booster = load_booster(model)
    test = (review for review in read(collected[0] / REVIEWS_NAME) if review.split == "test")
    scored = 0
    while batch := list(islice(test, 2_000)):
        rows = [packaged.encoder.row(words(review.text)) for review in batch]
        assert count_changed(booster, matrix(rows, packaged.facts.columns)) == 0
        scored += len(rows)
    assert scored == 25_000


@pytest.mark.needs_archive
@pytest.mark.needs_treebank
def test_no_text_is_in_two_splits(collected: tuple[Path, Manifest]) -> None:
    path = collected[0] / REVIEWS_NAME
    splits = assign(path)
    split_of: dict[bytes, int] = {}
    for review in read(path):
        if (split := splits.place_of(review)) is not None:
            assert split_of.setdefault(review.text_digest, split) == split, review.id
            assert all(excerpt in review.text for excerpt in excerpts_of(review.id, review.text, 1))


@pytest.mark.slow
@pytest.mark.needs_archive
@pytest.mark.needs_treebank
def test_preparing_the_official_reviews_reproduces_the_release(
    packaged: Release, collected: tuple[Path, Manifest], tmp_path: Path
) -> None:
    data, manifest = collected
    assert manifest.fingerprint == packaged.facts.data_fingerprint
    prepare(data, tmp_path)
    for name in (VOCABULARY_NAME, NGRAM_TABLE_NAME):
        assert (tmp_path / name).read_bytes() == (release.PACKAGED / name).read_bytes()
