from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from benchmarks.alternatives import command, in_batches, measure, milliseconds, select_contenders
from benchmarks.contenders import Contender, TrainedContender
from benchmarks.datasets import Datasets, load_datasets
from benchmarks.packages import installed_bytes, with_requirements
from benchmarks.results import (
    HEADINGS,
    Result,
    cells,
    coverage_lines,
    markdown_of,
    read_results,
    table_of,
    write_results,
)
from benchmarks.sentences import LabelledSentence
from benchmarks.snippets import Snippets
from training.data.excerpts import excerpts_of
from training.data.reviews import Review, write
from training.evaluation.predictions import Floats
from training.project import ROOT

SENTENCES = [
    LabelledSentence("good", "positive", "plain", True),
    LabelledSentence("good, ha", "negative", "irony", False, "irony"),
]
SNIPPETS = Snippets(["so good", "good?", "bad", "dull"], np.array([1, 0, 0, 0]), 2)
TEST_REVIEWS = [Review("test", 0, 1, None, "good"), Review("test", 1, 0, None, "bad")]
ANSWERED = {"crops": {"share": 0.5, "right": 0.875}, "another site": {"share": 0.25, "right": 1.0}}
BEST = Result("best", 0.92, 0.75, 0.71, 0.7, 0.8, 0.2, 0.012, 0.81, 4_200_000, 90_000_000, 61.2, ANSWERED)
PLAIN = Result("plain", 0.69, 0.6, None, 0.6, 0.61, None, None, 0.9, None, 2_000_000, None, {})


def count_good(texts: Sequence[str]) -> Floats:
    return np.array([1.0 if "good" in text else 0.0 for text in texts])


def contender(
    name: str = "words", needs: tuple[str, ...] = ("numpy",), not_sure_band: tuple[float, float] | None = None
) -> Contender:
    return Contender(name, needs, lambda _texts, _labels: TrainedContender(count_good, 10, not_sure_band=not_sure_band))


def datasets(snippets: Snippets | None = SNIPPETS) -> Datasets:
    return Datasets(["good", "bad"], np.array([1, 0]), TEST_REVIEWS, SENTENCES, snippets)


def test_a_contender_is_evaluated_on_all_datasets() -> None:
    result = measure(contender(), datasets())
    assert (result.accuracy, result.excerpts, result.snippets) == (1.0, 1.0, 0.75)
    assert (result.sentences, result.sentences_within_reach) == (0.5, 1.0)
    assert result.calibration_error == 0.0
    assert result.learned_bytes == 10
    assert result.package_bytes > 1_000_000  # numpy's
    assert result.answered == {}


def test_without_probabilities_the_sign_of_the_score_decides() -> None:
    lexicon = TrainedContender(lambda texts: count_good(texts) - 0.9, 0, probabilities=False)
    result = measure(Contender("lexicon", (), lambda _texts, _labels: lexicon), datasets())
    assert (result.accuracy, result.snippets) == (1.0, 0.75)
    assert (result.log_loss, result.calibration_error, result.training_seconds) == (None, None, None)


def test_a_not_sure_band_gives_coverage_and_precision() -> None:
    def score(texts: Sequence[str]) -> Floats:
        return np.array([{"so good": 0.9, "bad": 0.3, "dull": 0.8}.get(text, 0.5) for text in texts])

    with_band = TrainedContender(score, 10, not_sure_band=(0.3, 0.7))
    answered = measure(Contender("with a band", (), lambda _texts, _labels: with_band), datasets()).answered
    assert answered["another site"] == {"share": 0.75, "right": pytest.approx(2 / 3)}
    assert answered["crops"] == {"share": 0.5, "right": 1.0}


def test_without_snippets_their_figures_are_none() -> None:
    result = measure(contender(not_sure_band=(0.3, 0.7)), datasets(snippets=None))
    assert result.snippets is None
    assert list(result.answered) == ["crops"]
    assert datasets(snippets=None).facts["snippets"] is None


def test_excerpts_are_those_that_evaluate_scores() -> None:
    text = "One. Two is here! Three? Four of them. Five. Six! Seven. Eight it is."
    reviews = [Review("test", number, number % 2, None, text) for number in range(9)]
    excerpts = Datasets([], np.array([]), reviews, SENTENCES, None).excerpts
    assert excerpts == [excerpts_of(f"test/{'pos' if n % 2 else 'neg'}/{n}", text, 1)[0] for n in range(9)]
    assert len(set(excerpts)) > 3


def test_texts_of_the_test_are_not_trained_on(tmp_path: Path) -> None:
    training = [Review("train", number, label, None, f"{number} {label}") for number in range(25) for label in (0, 1)]
    test = [Review("test", number, number % 2, None, f"test {number}") for number in range(4)]
    shared = Review("test", 4, 0, None, training[-1].text)
    write(tmp_path, [*training, *test, shared], "synthetic")
    loaded = load_datasets(tmp_path, SNIPPETS)
    assert sorted(loaded.texts) == sorted(review.text for review in training[:-1])
    assert loaded.labels.tolist() == [int(text.split()[1]) for text in loaded.texts]
    assert [review.text for review in loaded.test] == [review.text for review in [*test, shared]]
    assert (loaded.facts["snippets"], loaded.facts["snippets_left_out"]) == (4, 2)


def test_a_wrong_snippets_file_is_refused_before_training(tmp_path: Path) -> None:
    other = tmp_path / "other.tar.gz"
    other.write_bytes(b"other")
    ran = CliRunner().invoke(command, ["--archive", str(other), "--snippets", str(other)])
    assert ran.exit_code == 1
    assert "is not vaderSentiment-3.3.2.tar.gz as it was published" in ran.output


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
    assert (units["snippets"], cells(PLAIN).count("-")) == ("71.0", 5)


def test_tables_have_the_most_accurate_last() -> None:
    lines = markdown_of([BEST, PLAIN]).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| plain", "| best"]
    assert len({line.count("|") for line in lines}) == 1
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table_of([BEST, PLAIN]))
    assert capture.get().index("plain") < capture.get().index("best")


def test_coverage_has_a_line_per_set_of_texts() -> None:
    assert coverage_lines([PLAIN, BEST]) == [
        "- best, excerpts: precision 87.5% at 50.0% coverage",
        "- best, another site: precision 100.0% at 25.0% coverage",
    ]


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    write_results(tmp_path / "new" / "results.json", [BEST, PLAIN], {"release": "one"})
    assert read_results(tmp_path / "new" / "results.json") == [BEST, PLAIN]


def test_the_document_has_the_figures_of_its_run() -> None:
    docs = ROOT / "docs" / "reference"
    results = read_results(docs / "alternatives.json")
    document = (docs / "alternatives.md").read_text(encoding="utf-8")
    assert markdown_of(results) in document
    assert [line for line in coverage_lines(results) if line not in document] == []
