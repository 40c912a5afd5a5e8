import random
from pathlib import Path

import click
import numpy as np
import pytest
from rich.console import Console

from benchmarks.alternatives import Material, chosen, in_batches, measure, milliseconds
from benchmarks.contenders import Contender, Trained
from benchmarks.crops import crop, crops
from benchmarks.packages import installed_bytes, with_requirements
from benchmarks.results import HEADINGS, Result, cells, markdown_of, read_results, table_of, write_results
from benchmarks.sentences import Sentence
from training.reviews import Review

REVIEW = "One. Two is here! <br />Three? Four of them. Five."
BEST = Result("best", 0.92, 0.75, 0.7, 0.8, 0.2, 0.012, 0.81, 4_200_000, 90_000_000, 61.2)
PLAIN = Result("plain", 0.69, 0.6, 0.6, 0.61, None, None, 0.9, None, 2_000_000, None)


def count_good(texts):
    return np.array([1.0 if "good" in text else 0.0 for text in texts])


def contender(name="words", needs=("numpy",)):
    return Contender(name, needs, lambda _texts, _labels: Trained(count_good, 10))


def test_a_crop_is_one_to_three_neighbouring_sentences_as_they_stand() -> None:
    found = {crop(REVIEW, random.Random(seed)) for seed in range(200)}
    assert {"One.", "Five.", "Two is here! <br />Three?", "Three? Four of them. Five."} <= found
    assert len(found) == 5 + 4 + 3
    assert all(each in REVIEW for each in found)


def test_a_review_without_sentences_is_its_own_crop() -> None:
    assert crop("...", random.Random(1)) == "..."


def test_crops_are_the_same_every_time() -> None:
    assert crops([REVIEW] * 20) == crops([REVIEW] * 20)
    assert len(set(crops([REVIEW] * 20))) > 3


def test_a_contender_is_asked_everything_and_measured() -> None:
    test = [
        Review("test", number, label, None, text) for number, (label, text) in enumerate([(1, "good"), (0, "good")])
    ]
    sentences = [Sentence("good", "positive", "plain", True), Sentence("good, ha", "negative", "irony", False, "irony")]
    material = Material(["good", "bad"], np.array([1, 0]), test, ["good", "bad"], sentences)
    result = measure(contender(), material)
    assert (result.accuracy, result.crops, result.sentences, result.sentences_within_reach) == (0.5, 1.0, 0.5, 1.0)
    assert result.calibration_error == 0.5
    assert result.learned_bytes == 10
    assert result.package_bytes > 1_000_000  # numpy's


def test_what_has_no_probabilities_is_asked_for_its_sign_alone() -> None:
    lexicon = Contender("lexicon", (), lambda _texts, _labels: Trained(lambda texts: count_good(texts) - 0.9, 0, False))
    test = [Review("test", 0, 1, None, "good"), Review("test", 0, 0, None, "bad")]
    result = measure(
        lexicon, Material([], np.array([]), test, ["good", "bad"], [Sentence("good", "positive", "", True)])
    )
    assert result.accuracy == 1.0
    assert (result.log_loss, result.calibration_error, result.training_seconds) == (None, None, None)


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
    assert cells(PLAIN).count("-") == 4


def test_tables_have_the_most_accurate_last() -> None:
    lines = markdown_of([BEST, PLAIN]).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| plain", "| best"]
    assert len({line.count("|") for line in lines}) == 1
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table_of([BEST, PLAIN]))
    assert capture.get().index("plain") < capture.get().index("best")


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    write_results(tmp_path / "new" / "results.json", [BEST, PLAIN], {"release": "one"})
    assert read_results(tmp_path / "new" / "results.json") == [BEST, PLAIN]


def test_the_document_has_the_figures_of_its_run() -> None:
    docs = Path(__file__).parents[2] / "docs"
    assert markdown_of(read_results(docs / "alternatives.json")) in (docs / "alternatives.md").read_text(
        encoding="utf-8"
    )
