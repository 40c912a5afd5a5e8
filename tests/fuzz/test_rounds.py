"""A few examples of every part of the fuzzing, and the finding of failures."""

import pickle
from pathlib import Path

import pytest
from hypothesis import strategies as st

from fuzz.__main__ import IN_PROCESS
from fuzz.events import check as check_event
from fuzz.events import handler_environment
from fuzz.files import check_table
from fuzz.rounds import Part, check_examples
from training.data.reviews import DataError
from training.data.tables import open_table

EXAMPLES, SECONDS = 40, 20.0
REST = {"httpMethod": "GET", "resourcePath": "/health", "path": "/dev/health", "requestId": "id"}


@pytest.mark.parametrize("part", IN_PROCESS, ids=[part.name for part in IN_PROCESS])  # API: devserver/test_openapi.py
def test_generated_examples_keep_the_promises(part: Part) -> None:
    result = check_examples(part, EXAMPLES, SECONDS)
    assert not result.failure, result.failure
    assert result.examples


@pytest.mark.parametrize("part", IN_PROCESS, ids=[part.name for part in IN_PROCESS])
def test_a_part_can_be_sent_to_another_process(part: Part) -> None:
    assert pickle.loads(pickle.dumps(part)) == part


def test_the_simplest_failing_example_is_reported() -> None:
    def check(number: int) -> None:
        assert number < 10

    result = check_examples(Part("numbers", check, lambda: st.integers(0, 1_000)), 500, SECONDS, processes=1)
    assert "assert 10 < 10" in result.failure
    assert result.examples


def test_a_run_ends_at_its_number_of_examples() -> None:
    result = check_examples(Part("numbers", lambda _: None, st.integers), 150, SECONDS)
    assert (result.examples, result.failure) == (150, "")


@pytest.mark.parametrize(
    "context", [{"resourcePath": []}, {"path": None}, {"path": []}, {"requestId": {}}, {"stage": 1}, {"httpMethod": []}]
)
def test_an_event_with_a_field_of_another_type_is_no_error(context: dict[str, object]) -> None:
    with handler_environment():
        check_event({"requestContext": REST | context, "headers": {}})


@pytest.mark.parametrize(
    "fields", [{"headers": []}, {"headers": {"accept": 1}}, {"body": {}}, {"multiValueHeaders": {"a": "b"}}]
)
def test_an_event_with_malformed_headers_or_body_is_no_error(fields: dict[str, object]) -> None:
    with handler_environment():
        check_event({"requestContext": REST} | fields)


def test_a_file_in_no_known_encoding_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_bytes(b"review,label\n\x81,1\n")
    with pytest.raises(DataError, match=r"reviews\.csv is not text in UTF-8"):
        open_table(path)
    check_table((".csv", path.read_bytes()))
