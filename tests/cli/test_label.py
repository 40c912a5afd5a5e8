import gzip
import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from cli.main import verdict
from cli.model.label import printable
from training.data.hand_labels import open_labels, read_labels
from training.data.reviews import DataError

REVIEWS = """id,review,verdict,score,correction
1,Fine [film].,positive,0.97,negative
2,Dull.,negative,0.1,
3,So so.,not sure,0.5,
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    path.write_text(REVIEWS)
    return path


def run(*arguments: object, keys: str = "") -> Result:
    return CliRunner().invoke(verdict, ["label", *map(str, arguments)], input=keys, prog_name="verdict")


def labels_in(path: Path) -> dict[str, str]:
    return {label.id: label.label for label in read_labels(path)}


def test_one_key_labels_a_review_and_the_next_call_resumes(source: Path) -> None:
    labels = source.with_name("reviews.labels.jsonl")
    first = run(source, "--labeller", "ann", keys="pq")
    assert first.exit_code == 0, first.output
    assert "a random sample, so the labels give an unbiased estimate" in first.output
    assert len(labels_in(labels)) == 1
    second = run(source, "--labeller", "ann", keys="nm")
    assert "All reviews are labelled." in second.output
    assert sorted(labels_in(labels).values()) == ["mixed", "negative", "positive"]
    assert {label.labeller for label in read_labels(labels)} == {"ann"}


def test_the_verdict_is_shown_only_after_the_answer(source: Path) -> None:
    output = run(source, "--order", "disagreements", keys="n").output
    before, _, after = output.partition("[q]uit")
    assert "Fine [film]." in before
    assert "97%" not in before
    assert "The verdict was positive (97% likely to be positive). A user corrected it to negative." in " ".join(
        after.split()
    )


def test_undo_note_skip_and_unknown_keys(source: Path) -> None:
    result = run(source, "--order", "least-sure", keys="poan irony\nusz u" + "x" + "q")
    labels = read_labels(source.with_name("reviews.labels.jsonl"))
    assert result.exit_code == 0, result.output
    assert "The keys are:" in result.output
    assert "Undone: positive." in result.output
    assert [(label.id, label.label) for label in labels] == [("3", "not a review")]


def test_a_note_is_saved_with_the_label(source: Path) -> None:
    run(source, "--order", "least-sure", keys="oan irony\nnq")
    label = read_labels(source.with_name("reviews.labels.jsonl"))[0]
    assert (label.label, label.note, label.order) == ("negative", "an irony", "least-sure")


def test_ctrl_c_loses_nothing(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click, "getchar", keys_then(KeyboardInterrupt, "p"))
    result = CliRunner().invoke(verdict, ["label", str(source)], prog_name="verdict")
    assert result.exit_code == 130
    assert "Repeat the command to resume." in result.output
    assert len(labels_in(source.with_name("reviews.labels.jsonl"))) == 1


def keys_then(end: type[BaseException], keys: str) -> Callable[[], str]:
    """Return a function that returns one key at each call, and then raises."""
    remaining = iter(keys)

    def read_key() -> str:
        for key in remaining:
            return key
        raise end

    return read_key


def test_labels_of_another_file_are_refused(source: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("review\nSomething else.\n")
    run(other, "--into", tmp_path / "labels.jsonl", keys="p")
    result = run(source, "--into", tmp_path / "labels.jsonl", keys="p")
    assert result.exit_code == 1
    assert "None of the 1 labels" in str(result.exception)


def test_a_file_with_labels_in_another_order_is_no_random_sample(source: Path) -> None:
    assert "another order" not in run(source, "--order", "disagreements", keys="n").output
    output = " ".join(run(source, keys="q").output.split())
    assert "1 labels in this file were given in another order. The rest is not a random sample" in output
    assert run(source, "--order", "least-sure", keys="pn").exit_code == 0
    assert len(labels_in(source.with_name("reviews.labels.jsonl"))) == 3


def test_a_compressed_file_is_labelled_in_an_uncompressed_one(source: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed.csv.gz"
    packed.write_bytes(gzip.compress(source.read_bytes()))
    assert run(packed, keys="pnm").exit_code == 0
    assert sorted(labels_in(tmp_path / "packed.labels.jsonl").values()) == ["mixed", "negative", "positive"]
    for option, reason in (("--into", "every label is appended at once"), ("--export", "for a spreadsheet")):
        refused = run(packed, option, tmp_path / "new.csv.gz")
        assert isinstance(refused.exception, DataError)
        assert reason in refused.exception.detail
        assert not (tmp_path / "new.csv.gz").exists()


def test_an_export_replaces_no_file(source: Path) -> None:
    result = run(source, "--export", source)
    assert result.exit_code == 1
    assert "exists already" in str(result.exception)
    assert source.read_text() == REVIEWS


def test_a_file_in_use_is_refused_with_a_reason(source: Path) -> None:
    with open_labels(source.with_name("reviews.labels.jsonl")):
        result = run(source, keys="p")
    assert result.exit_code == 1
    assert "is in use" in str(result.exception)


def test_two_files_are_compared(source: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "ann.jsonl", tmp_path / "bob.jsonl"
    run(source, "--into", first, "--labeller", "ann", keys="pnp")
    run(source, "--into", second, "--labeller", "bob", keys="ppp")
    result = run("--compare", first, second, "--export", tmp_path / "differences.csv")
    assert result.exit_code == 0, result.output
    assert "The same label for 2 of 3 reviews (67%); Cohen's kappa is 0.00" in result.output
    assert "Differences: 1 of 1" in result.output
    assert (tmp_path / "differences.csv").read_text(encoding="utf-8-sig").startswith("id,review,ann (1),bob (2)")
    document = json.loads(run("--compare", first, second, "--json").stdout)
    assert document["reviews"] == 3


def test_a_spreadsheet_replaces_the_terminal(source: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    assert "3 reviews written" in run(source, "--export", sheet).output
    text = sheet.read_text(encoding="utf-8-sig")
    assert "positive" not in text  # verdicts are hidden
    sheet.write_text(text.replace("Dull.,", "Dull.,negative"))
    assert "1 labels read" in run(source, "--import", sheet, "--labeller", "bob").output
    assert labels_in(source.with_name("reviews.labels.jsonl")) == {"2": "negative"}


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("reviews.csv", "--json"),
        ("reviews.csv", "--export", "a.csv", "--import", __file__),
        ("--compare", __file__),
    ],
)
def test_options_that_do_not_fit_together_are_refused(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_control_characters_of_a_review_do_not_reach_the_terminal() -> None:
    assert printable("a\x1b[2Jb\x9bc\r\nd\te é 👩‍👩‍👧") == "a\ufffd[2Jb\ufffdc\nd\te é 👩‍👩‍👧"
