from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from benchmarks.alternatives import chosen, command, in_batches, measure, milliseconds
from benchmarks.contenders import Contender, Trained
from benchmarks.material import Material, gather
from benchmarks.packages import installed_bytes, with_requirements
from benchmarks.results import (
    HEADINGS,
    Result,
    answered_lines,
    cells,
    markdown_of,
    read_results,
    table_of,
    write_results,
)
from benchmarks.sentences import Sentence
from benchmarks.snippets import Snippets
from training.data.excerpts import excerpts_of
from training.data.reviews import Review, write

SENTENCES = [Sentence("good", "positive", "plain", True), Sentence("good, ha", "negative", "irony", False, "irony")]
SNIPPETS = Snippets(["so good", "good?", "bad", "dull"], np.array([1, 0, 0, 0]), 2)
TEST_REVIEWS = [Review("test", 0, 1, None, "good"), Review("test", 1, 0, None, "bad")]
ANSWERED = {"crops": {"share": 0.5, "right": 0.875}, "another site": {"share": 0.25, "right": 1.0}}
BEST = Result("best", 0.92, 0.75, 0.71, 0.7, 0.8, 0.2, 0.012, 0.81, 4_200_000, 90_000_000, 61.2, ANSWERED)
PLAIN = Result("plain", 0.69, 0.6, None, 0.6, 0.61, None, None, 0.9, None, 2_000_000, None, {})


def count_good(texts):
    return np.array([1.0 if "good" in text else 0.0 for text in texts])


def contender(name="words", needs=("numpy",)):
    return Contender(name, needs, lambda _texts, _labels: Trained(count_good, 10))


def material(snippets=SNIPPETS):
    return Material(["good", "bad"], np.array([1, 0]), TEST_REVIEWS, SENTENCES, snippets)


def test_a_contender_is_asked_everything_and_measured() -> None:
    result = measure(contender(), material())
    assert (result.accuracy, result.crops, result.snippets) == (1.0, 1.0, 0.75)
    assert (result.sentences, result.sentences_within_reach) == (0.5, 1.0)
    assert result.calibration_error == 0.0
    assert result.learned_bytes == 10
    assert result.package_bytes > 1_000_000  # numpy's
    assert result.answered == {}


def test_what_has_no_probabilities_is_asked_for_its_sign_alone() -> None:
    lexicon = Contender("lexicon", (), lambda _texts, _labels: Trained(lambda texts: count_good(texts) - 0.9, 0, False))
    result = measure(lexicon, material())
    assert (result.accuracy, result.snippets) == (1.0, 0.75)
    assert (result.log_loss, result.calibration_error, result.training_seconds) == (None, None, None)


def test_outside_of_a_not_sure_band_answers_are_counted_apart() -> None:
    def hesitant(texts):
        return np.array([{"so good": 0.9, "bad": 0.3, "dull": 0.8}.get(text, 0.5) for text in texts])

    careful = Contender("careful", (), lambda _texts, _labels: Trained(hesitant, 10, not_sure_band=(0.3, 0.7)))
    answered = measure(careful, material()).answered
    assert answered["another site"] == {"share": 0.75, "right": pytest.approx(2 / 3)}
    assert answered["crops"] == {"share": 0.5, "right": 1.0}


def test_without_the_snippets_nothing_is_said_of_them() -> None:
    careful = Contender("careful", (), lambda _texts, _labels: Trained(count_good, 10, not_sure_band=(0.3, 0.7)))
    result = measure(careful, material(snippets=None))
    assert result.snippets is None
    assert list(result.answered) == ["crops"]
    assert material(snippets=None).facts["snippets"] is None


def test_crops_are_those_that_evaluation_asks() -> None:
    text = "One. Two is here! Three? Four of them. Five. Six! Seven. Eight it is."
    reviews = [Review("test", number, number % 2, None, text) for number in range(9)]
    crops = Material([], np.array([]), reviews, SENTENCES, None).crops
    assert crops == [excerpts_of(f"test/{'pos' if n % 2 else 'neg'}/{n}", text, 1)[0] for n in range(9)]
    assert len(set(crops)) > 3


def test_what_train_and_test_share_is_not_learned_from_and_every_fold_is(tmp_path: Path) -> None:
    learned_from = [
        Review("train", number, label, None, f"{number} {label}") for number in range(25) for label in (0, 1)
    ]
    test = [Review("test", number, number % 2, None, f"asked {number}") for number in range(4)]
    shared = Review("test", 4, 0, None, learned_from[-1].text)
    write(tmp_path, [*learned_from, *test, shared], "made up")
    gathered = gather(tmp_path, SNIPPETS)
    assert sorted(gathered.texts) == sorted(review.text for review in learned_from[:-1])
    assert gathered.labels.tolist() == [int(text.split()[1]) for text in gathered.texts]
    assert [review.text for review in gathered.test] == [review.text for review in [*test, shared]]
    assert (gathered.facts["snippets"], gathered.facts["snippets_left_out"]) == (4, 2)


def test_another_file_than_the_snippets_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    other = tmp_path / "other.tar.gz"
    other.write_bytes(b"other")
    ran = CliRunner().invoke(command, ["--archive", str(other), "--snippets", str(other)])
    assert ran.exit_code == 1
    assert "is not vaderSentiment-3.3.2.tar.gz as it was published" in ran.output


def test_batches_give_every_score_in_order() -> None:
    scores = in_batches(lambda texts: np.array([float(text) for text in texts]), [str(n) for n in range(2_345)])
    assert scores.tolist() == list(range(2_345))


def test_single_texts_are_timed_one_at_a_time() -> None:
    asked: list[list[str]] = []
    milliseconds(lambda texts: asked.append(list(texts)) or np.zeros(1), list("abcdefgh"), count=4)
    assert asked == [["a"], ["c"], ["e"], ["g"]]


def test_missing_packages_are_named_with_what_to_run() -> None:
    contenders = [contender(), contender("other", ("no-such-package",))]
    with pytest.raises(click.ClickException, match=r"no-such-package .* other .*requirements-alternatives.txt"):
        chosen(contenders, available=False)
    assert [each.name for each in chosen(contenders, available=True)] == ["words"]


def test_packages_bring_what_they_need() -> None:
    assert {"scikit-learn", "scipy", "numpy"} <= with_requirements(["scikit_learn"])
    assert installed_bytes("numpy") > 1_000_000


def test_cells_are_in_the_units_of_their_headings() -> None:
    units = dict(zip(HEADINGS, cells(BEST), strict=True))
    assert (units["accuracy"], units["calibration_error"], units["learned_bytes"]) == ("92.0", "1.2", "4.2")
    assert (units["snippets"], cells(PLAIN).count("-")) == ("71.0", 5)


def test_tables_have_the_most_accurate_last() -> None:
    lines = markdown_of([BEST, PLAIN]).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| plain", "| best"]
    assert len({line.count("|") for line in lines}) == 1
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table_of([BEST, PLAIN]))
    assert capture.get().index("plain") < capture.get().index("best")


def test_what_a_band_leaves_is_told_a_line_each() -> None:
    assert answered_lines([PLAIN, BEST]) == [
        "- best, crops: sure of 50.0 %, of which 87.5 % are right",
        "- best, another site: sure of 25.0 %, of which 100.0 % are right",
    ]


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    write_results(tmp_path / "new" / "results.json", [BEST, PLAIN], {"release": "one"})
    assert read_results(tmp_path / "new" / "results.json") == [BEST, PLAIN]


def test_the_document_has_the_figures_of_its_run() -> None:
    docs = Path(__file__).parents[2] / "docs" / "reference"
    results = read_results(docs / "alternatives.json")
    document = (docs / "alternatives.md").read_text(encoding="utf-8")
    assert markdown_of(results) in document
    assert [line for line in answered_lines(results) if line not in document] == []
