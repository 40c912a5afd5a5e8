"""The check of the packaged release on newly labelled reviews."""

import csv
import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cli.main import verdict
from tests.hand_labels import label_of
from training.checking.check import Check, Share, check, expected_accuracy
from training.checking.check_report import mistakes_of, render
from training.checking.label_errors import likely_label_errors
from training.checking.neighbours import training_bags
from training.checking.new_reviews import NewReview, read_new_reviews
from training.data.columns import ColumnChoice
from training.data.review_rows import ReviewRow, text_id
from training.data.reviews import DataError, Review, write
from training.evaluation.packaged_model import PackagedModel, load_packaged_model, packaged_figures, packaged_model
from training.evaluation.predictions import Floats, ScoredReviews
from training.prediction.judge import Judge

PRAISE, BLAME = "I loved this superb film, number {}.", "I hated this awful film, number {}."


@pytest.fixture(scope="module")
def model() -> PackagedModel:
    return load_packaged_model()


def new_reviews(count: int, wrong: int = 0) -> list[NewReview]:
    """Return reviews of both labels that the release judges correctly, but for the labels of some."""
    texts = [(PRAISE if number % 2 else BLAME).format(number) for number in range(count)]
    labels = [number % 2 if number >= wrong else 1 - number % 2 for number in range(count)]

    return [NewReview(label, ReviewRow(text, text)) for label, text in zip(labels, texts, strict=True)]


def checked(model: PackagedModel, reviews: Sequence[NewReview]) -> Check:
    return check(reviews, model.release, model.predict, packaged_figures(model.release))


def test_a_model_that_does_as_well_as_on_the_test_is_not_called_worse(model: PackagedModel) -> None:
    found = checked(model, new_reviews(100))
    assert (found.accuracy.count, found.is_worse) == (100, False)
    assert found.judgement.endswith("It is not worse.")


def test_a_difference_that_may_be_chance_is_told_from_one_that_is_not(model: PackagedModel) -> None:
    few, many = checked(model, new_reviews(40, wrong=12)), checked(model, new_reviews(400, wrong=200))
    assert few.expected is not None
    assert few.accuracy.value < few.expected
    assert "may be chance" in few.judgement
    assert not few.is_worse
    assert "not by chance" in many.judgement
    assert many.is_worse


@pytest.mark.parametrize(
    ("reviews", "reason"),
    [(new_reviews(10), "10 labels are too few"), (new_reviews(80)[1::2], "are positive.* Label some negative")],
    ids=["ten labels", "one label"],
)
def test_too_few_labels_or_one_label_are_refused(model: PackagedModel, reviews: list[NewReview], reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        checked(model, reviews)


def test_an_interval_contains_the_share() -> None:
    low, high = Share(8, 10).interval
    assert low == pytest.approx(0.490, abs=5e-4)  # Wilson's interval of 8 of 10, as in any table
    assert high == pytest.approx(0.943, abs=5e-4)


def test_the_expected_accuracy_is_that_of_the_same_lengths(model: PackagedModel) -> None:
    figures = packaged_figures(model.release)
    short, long = expected_accuracy([5], figures), expected_accuracy([250], figures)
    assert short is not None
    assert long is not None
    assert short < 0.85 < 0.9 < long
    assert expected_accuracy([5], {}) is None


def test_groups_are_of_weeks_releases_and_variants(model: PackagedModel) -> None:
    reviews = [
        replace(
            each, source=replace(each.source, time=f"2026-11-{1 + n % 14:02}T10:00:00Z", score=0.9, variant=variant)
        )
        for n, (each, variant) in enumerate(zip(new_reviews(56), "AB" * 28, strict=True))
    ]
    groups = checked(model, reviews).groups
    assert [group.name for group in groups["week"]] == ["2026-W44", "2026-W45", "2026-W46"]
    answered = {group.name: group.answered and group.answered.value for group in groups["variant"]}
    assert answered == {"A": 0.0, "B": 1.0}
    assert "release" not in groups


def test_hand_labels_that_are_neither_positive_nor_negative_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "new.labels.jsonl"
    labels = [label_of("a", "positive"), label_of("b", "mixed"), label_of("c", "negative")]
    path.write_text("".join(label.dumps() for label in labels) + '{"id": "d", "rev')
    notes: list[str] = []
    found = read_new_reviews([path], note=notes.append)
    assert [(review.text, review.label) for review in found] == [("Review a.", 1), ("Review c.", 0)]
    assert any("1 mixed" in note for note in notes)
    assert any("not completely written" in note for note in notes)


def test_compressed_files_are_read(tmp_path: Path) -> None:
    labels = "".join(label.dumps() for label in (label_of("a", "positive"), label_of("b", "negative")))
    (tmp_path / "new.labels.jsonl.gz").write_bytes(gzip.compress(labels.encode()))
    (tmp_path / "feedback.csv.gz").write_bytes(gzip.compress(b"review,correction\nFine.,positive\nDull.,negative\n"))
    found = read_new_reviews([tmp_path / "new.labels.jsonl.gz", tmp_path / "feedback.csv.gz"])
    assert [(review.text, review.label) for review in found] == [
        ("Review a.", 1),
        ("Review b.", 0),
        ("Fine.", 1),
        ("Dull.", 0),
    ]


def test_a_file_with_half_of_its_first_label_has_no_labels(tmp_path: Path) -> None:
    path = tmp_path / "new.labels.jsonl"
    path.write_text(label_of("a", "positive").dumps()[:40])
    notes: list[str] = []
    with pytest.raises(DataError, match="There are no labelled reviews"):
        read_new_reviews([path], note=notes.append)
    assert notes == ["new.labels.jsonl: line 1 was not completely written, and is left out."]


def test_corrections_of_feedback_are_labels_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "feedback.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(
            [
                ("id", "time", "review", "verdict", "score", "release", "variant", "correction", "source"),
                ("1", "2026-11-27T11:30:00Z", "good", "negative", "0.1", "r", "A", "positive", "feedback"),
                ("2", "2026-11-27T11:30:00Z", "bad", "negative", "0.1", "r", "A", "negative", "feedback"),
                ("3", "2026-11-27T11:30:00Z", "so so", "negative", "0.1", "r", "A", "", "sample"),
            ]
        )
    notes: list[str] = []
    found = read_new_reviews([path], note=notes.append)
    assert [(review.text, review.label) for review in found] == [("good", 1), ("bad", 0)]
    assert found[0].source.variant == "A"
    assert any("corrections are taken as labels" in note for note in notes)


def test_a_repeated_review_is_of_its_first_row(tmp_path: Path) -> None:
    rows = ("text,label,release,time", "good,1,a,2026-11-01", "bad,0,a,2026-11-02", "good,1,b,2026-11-03")
    (tmp_path / "new.csv").write_text("\n".join(rows))
    notes: list[str] = []
    found = read_new_reviews([tmp_path / "new.csv"], note=notes.append)
    assert [(review.text, review.source.release, review.source.time) for review in found] == [
        ("good", "a", "2026-11-01"),
        ("bad", "a", "2026-11-02"),
    ]
    assert "1 repeated reviews are counted once." in notes


def test_a_table_without_a_header_states_nothing_but_reviews_and_labels(tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("a good film,1\na bad film,0\n")
    found = read_new_reviews([tmp_path / "new.csv"], ColumnChoice("1", "2"))
    assert [(review.label, review.source) for review in found] == [
        (1, ReviewRow(text_id("a good film"), "a good film")),
        (0, ReviewRow(text_id("a bad film"), "a bad film")),
    ]


def test_two_labels_of_one_review_are_refused(tmp_path: Path) -> None:
    for name, label in (("a", "positive"), ("b", "negative")):
        (tmp_path / f"{name}.csv").write_text(f"review,label\nthe same,{label}\nanother {name},positive\n")
    with pytest.raises(DataError, match="labelled both"):
        read_new_reviews([tmp_path / "a.csv", tmp_path / "b.csv"])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    texts = ["a superb film with a cast", "an awful film", "a lovely song about trains"]
    write(tmp_path / "data", [Review("train", n, n % 2, None, text) for n, text in enumerate(texts)], "test")
    return tmp_path / "data"


def test_the_nearest_training_review_shares_the_rarest_words(model: PackagedModel, data: Path) -> None:
    bags = training_bags(data, model.release.encoder.vocabulary)
    nearest = bags.nearest(["a lovely song", "zxcv"], 2)
    assert nearest[0][0].review.text == "a lovely song about trains"
    assert 0 < nearest[0][0].similarity <= 1 + 1e-9
    assert nearest[1] == []
    assert bags.nearest(["an awful film"], 1)[0][0].similarity == pytest.approx(1)


def test_the_least_probable_labels_come_first(data: Path) -> None:
    nothing: Floats = np.zeros(3)
    ids = [f"train/{n}" for n in range(3)]
    ids = [review.id for review in (Review("train", n, n % 2, None, "") for n in range(3))]
    labels = np.array([0, 1, 0])
    scored = ScoredReviews(ids, labels, labels, labels, labels, nothing, np.array([0.2, 0.05, 0.9]))
    assert [round(each.probability, 2) for each in likely_label_errors(scored, data, 2)] == [0.05, 0.1]


def test_the_report_shows_each_mistake_with_its_words_and_neighbours(model: PackagedModel, data: Path) -> None:
    found = checked(model, new_reviews(60, wrong=4))
    judge = Judge(model.release, packaged_model(model.release), explain=True)
    mistakes = mistakes_of(found, judge, training_bags(data, model.release.encoder.vocabulary))
    assert len(mistakes) == 4
    assert mistakes[0].neighbours
    page = render(found, mistakes, [], ["<b>a note</b>"])
    assert found.judgement.split(";")[0] in page
    assert page.count('<div class="case">') == 4
    assert "Nearest training reviews" in page
    assert "&lt;b&gt;a note" in page


def test_the_command_writes_a_report_and_json(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("review", "label"), *((each.text, each.label) for each in new_reviews(40))])
    arguments = ["check", str(path), "--data", str(tmp_path / "absent"), "--into", str(tmp_path / "r.html"), "--json"]
    result = CliRunner().invoke(verdict, arguments)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["accuracy"]["value"] == 1
    assert "No nearest training reviews" in result.stderr
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
