"""The container's answers, with a small model that scores a missing column and a zero differently."""

import io
import json
import threading

import numpy as np
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from werkzeug.wrappers import Request

from chalicelib.errors import ReleaseError
from simulator.container.serving import LARGEST_BODY_BYTES, Container, HttpResponse, parse_csv, parse_libsvm

COLUMNS = 4
ONE, ZERO, MISSING = 1.0, 0.0, float("nan")
LIBSVM = "text/libsvm"


def small_model() -> bytes:
    """Positive where column 1 is missing, negative where it is 0 or 1; the other columns mean nothing."""
    column = np.array([ONE, ZERO, MISSING] * 200)
    features = np.zeros((len(column), COLUMNS))
    features[:, 1] = column
    training = xgboost.DMatrix(features, label=np.isnan(column))
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 2, "nthread": 1}, training, 20)
    return bytes(booster.save_raw("ubj"))


@pytest.fixture(scope="module")
def container() -> Container:
    return Container(small_model())


def scores_of(answer: HttpResponse) -> list[float]:
    assert answer.status == 200, answer.body
    return [float(line) for line in answer.body.decode().splitlines()]


def test_an_absent_libsvm_column_is_missing_which_is_not_zero(container: Container) -> None:
    absent, zero = scores_of(container.invoke(b"0:1 3:1\n0:1 1:0 3:1", LIBSVM))
    assert absent > 0.9
    assert zero < 0.1


def test_a_csv_zero_is_a_real_zero_and_an_empty_cell_is_missing(container: Container) -> None:
    zero, empty = scores_of(container.invoke(b"0,0,0,0\n0,,0,0", "text/csv"))
    assert zero < 0.1
    assert empty > 0.9


def test_too_few_csv_columns_are_answered_all_the_same(container: Container) -> None:
    assert scores_of(container.invoke(b"0,0", "text/csv")) == scores_of(container.invoke(b"0,0,0,0", "text/csv"))


@pytest.mark.parametrize(("body", "media_type"), [(b"0:1 4:1", LIBSVM), (b"0,0,0,0,0", "text/csv")])
def test_too_many_columns_are_refused_with_both_numbers(container: Container, body: bytes, media_type: str) -> None:
    answer = container.invoke(body, media_type)
    assert answer.status == 400
    assert answer.body.startswith(b"Unable to evaluate payload provided: ")
    assert b"num_feature >= p_fmat->Info().num_col_ (4 vs. 5)" in answer.body


@pytest.mark.parametrize(
    "media_type",
    [None, "libsvm", "text/libsvm", "text/x-libsvm", "TEXT/LIBSVM", "text/libsvm; charset=utf-8"],
)
def test_libsvm_is_read_under_all_its_names_and_when_none_is_given(container: Container, media_type: str) -> None:
    assert scores_of(container.invoke(b"0:1 3:1", media_type))[0] > 0.9


@pytest.mark.parametrize("media_type", ["application/json", "text/plain"])
def test_another_content_type_is_refused_with_the_list(container: Container, media_type: str) -> None:
    answer = container.invoke(b"{}", media_type)
    assert answer.status == 415
    assert answer.body.startswith(f"{media_type} is not an accepted ContentType: csv, libsvm, ".encode())


@pytest.mark.parametrize("media_type", ["text/csv; label_size=0", "CSV;Label_Size=2", 'text/csv; label_size="01"'])
def test_a_csv_with_another_label_size_than_1_is_refused(container: Container, media_type: str) -> None:
    answer = container.invoke(b"0,0,0,0", media_type)
    assert (answer.status, answer.body.decode()) == (
        415,
        f"{media_type} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1",
    )


@pytest.mark.parametrize("media_type", ['text/csv; label_size="1"', "text/csv;charset=utf-8;label_size=1", "text/csv;"])
def test_label_size_1_and_other_parameters_are_accepted(container: Container, media_type: str) -> None:
    assert container.invoke(b"0,0,0,0", media_type).status == 200


def test_label_size_has_no_meaning_for_libsvm(container: Container) -> None:
    assert container.invoke(b"0:1", "text/libsvm; label_size=0").status == 200


@pytest.mark.parametrize("media_type", ["", " ", ";"])
def test_an_empty_content_type_is_not_libsvm(container: Container, media_type: str) -> None:
    answer = container.invoke(b"0:1 3:1", media_type)
    assert answer.status == 415
    assert answer.body.startswith(f"{media_type} is not an accepted ContentType".encode())


@pytest.mark.parametrize(
    "media_type",
    [
        "application/x-www-form-urlencoded",
        "Application/X-WWW-Form-Urlencoded; charset=utf-8",
        "multipart/form-data; boundary=b",
        "multipart/form-data",
        "text/csv",
    ],
)
def test_a_form_is_an_empty_body_to_the_container(container: Container, media_type: str) -> None:
    body = b"0,0,0,0"
    environ = {"CONTENT_TYPE": media_type, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    seen = Request({"REQUEST_METHOD": "POST", **environ}).data  # what Flask gives the container
    assert (container.invoke(body, media_type) == HttpResponse(204)) == (not seen)


@pytest.mark.parametrize(
    ("body", "same_as", "media_type"),
    [(b"0,0,0,0\0", b"0,0,0,0", "csv"), (b"1\x002\x003\x004", b"1,2,3,4", "csv"), (b"0:1 3:1\0", b"0:1 3:1", LIBSVM)],
)
def test_a_nul_ends_a_number_or_separates_numbers(
    container: Container, body: bytes, same_as: bytes, media_type: str
) -> None:
    assert container.invoke(body, media_type) == container.invoke(same_as, media_type)
    assert container.invoke(b"\0" + same_as, media_type).status == 415


def test_parquet_is_refused_when_serving(container: Container) -> None:
    assert container.invoke(b"PAR1", "application/x-parquet").status == 415


def test_recordio_is_supported_by_the_real_container_only(container: Container) -> None:
    answer = container.invoke(b"\x0a\x23\xd7\xce", "application/x-recordio-protobuf")
    assert answer.status == 501
    assert b"not by this simulator" in answer.body


@pytest.mark.parametrize(
    ("body", "format_name"),
    [
        (b"0:1\t3:1", "libsvm"),
        (b"0:one", "libsvm"),
        (b"first:1", "libsvm"),
        (b"-1:1", "libsvm"),
        (b"99999999999999999999:1", "libsvm"),
        (b"no fields at all", "libsvm"),
        (b"\xff\xfe0:1", "libsvm"),
        (b"a,b", "csv"),
        (b"1,2\n1", "csv"),
        (b"\xff\xfe", "csv"),
    ],
)
def test_an_unreadable_body_is_refused_with_the_reason(container: Container, body: bytes, format_name: str) -> None:
    answer = container.invoke(body, format_name)
    assert answer.status == 415
    start = f"Loading {format_name} data failed with Exception, please ensure data is in {format_name} format:\n <class"
    assert answer.body.decode().startswith(start)


def test_a_zero_byte_body_is_no_content(container: Container) -> None:
    assert container.invoke(b"", LIBSVM) == HttpResponse(204)


def test_body_size_limit_is_inclusive(container: Container) -> None:
    at_the_limit = b"0:1 3:1".ljust(LARGEST_BODY_BYTES)
    assert container.invoke(at_the_limit, LIBSVM).status == 200
    assert container.invoke(at_the_limit + b" ", LIBSVM).status == 413


def test_a_featureless_row_is_dropped_at_the_end_only(container: Container) -> None:
    assert len(scores_of(container.invoke(b"0:1\n0:1\n1", LIBSVM))) == 2
    assert len(scores_of(container.invoke(b"0:1\n\n0:1", LIBSVM))) == 3


@pytest.mark.parametrize(
    ("body", "read_as"),
    [
        (b"1:0 3:1", b"0:0 2:1"),  # the smallest index is 1: every index loses 1
        (b"2:1", b"1:1"),
        (b"3:1\n1:0 2:1", b"2:1\n0:0 1:1"),
        (b"0:1 3:1\n1:0", b"0:1 3:1\n1:0"),  # a row with column 0 protects the others
        (b"1 0:1 1:0", b"0:1 1:0"),
    ],
)
def test_image_3_2_subtracts_1_unless_the_request_has_column_0(body: bytes, read_as: bytes) -> None:
    shifting, literal = Container(small_model(), "3.2-0"), Container(small_model(), "3.0-5")
    assert shifting.invoke(body, LIBSVM) == literal.invoke(read_as, LIBSVM)
    assert (parse_libsvm(body.decode(), shifts=True) != parse_libsvm(read_as.decode())).nnz == 0


def test_image_3_2_accepts_one_column_too_many(container: Container) -> None:
    assert container.invoke(b"1:1 4:1", LIBSVM).status == 400
    assert Container(small_model(), "3.2-0").invoke(b"1:1 4:1", LIBSVM).status == 200


def test_image_3_2_reads_csv_as_it_is(container: Container) -> None:
    assert Container(small_model(), "3.2-0").invoke(b",1,0,0", "csv") == container.invoke(b",1,0,0", "csv")


def test_a_label_in_front_is_ignored(container: Container) -> None:
    assert container.invoke(b"1 0:1 1:1", LIBSVM) == container.invoke(b"0:1 1:1", LIBSVM)


@pytest.mark.parametrize("accept", [None, "", "*/*", "text/csv", "Text/CSV; charset=utf-8"])
def test_scores_come_as_lines_of_widened_float32(container: Container, accept: str | None) -> None:
    answer = container.invoke(b"0:1\n0:1 1:0", LIBSVM, accept)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.body.endswith(b"\n")
    scores = scores_of(answer)
    assert [float(np.float32(score)) for score in scores] == scores
    assert "".join(f"{score}\n" for score in scores).encode() == answer.body


def test_scores_come_as_json_when_asked_for(container: Container) -> None:
    answer = container.invoke(b"0:1\n0:1 1:0", LIBSVM, "application/json")
    plain = scores_of(container.invoke(b"0:1\n0:1 1:0", LIBSVM))
    assert json.loads(answer.body) == {"predictions": [{"score": score} for score in plain]}


@pytest.mark.parametrize("accept", ["text/csv, */*", "text/html", "Text/Plain"])
def test_an_accept_header_that_is_not_one_known_type_is_refused(container: Container, accept: str) -> None:
    answer = container.invoke(b"0:1", LIBSVM, accept)
    assert answer.status == 406
    assert answer.body.startswith(
        f"Accept type {accept} is not supported. Please use supported accept types: [".encode()
    )


def test_jsonlines_fail_inside_the_container(container: Container) -> None:
    answer = container.invoke(b"0:1", LIBSVM, "application/jsonlines")
    assert answer.status == 500
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_file_that_is_no_model_is_refused_as_a_release() -> None:
    with pytest.raises(ReleaseError, match="cannot read the model"):
        Container(b"{not a model")


def test_requests_from_many_threads_get_the_answers_of_one(container: Container) -> None:
    bodies = [b"0:1" if number % 2 else b"0:1 1:0" for number in range(40)]
    expected = [container.invoke(body, LIBSVM) for body in bodies]
    answers: list[HttpResponse | None] = [None] * len(bodies)

    def ask(number: int) -> None:
        answers[number] = container.invoke(bodies[number], LIBSVM)

    threads = [threading.Thread(target=ask, args=[number]) for number in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == expected


def test_libsvm_width_is_the_largest_index_plus_one_and_duplicates_add_up() -> None:
    matrix = parse_libsvm("0:1 5:0.5 5:2")
    assert matrix.shape == (1, 6)
    assert matrix.toarray().tolist() == [[1, 0, 0, 0, 0, 2.5]]


@given(
    st.lists(
        st.dictionaries(st.integers(0, 300), st.floats(-1e6, 1e6, allow_nan=False), min_size=1), min_size=1, max_size=20
    )
)
def test_any_matrix_written_as_libsvm_is_read_back(rows: list[dict[int, float]]) -> None:
    text = "\n".join(" ".join(f"{column}:{value}" for column, value in row.items()) for row in rows)
    numbers = [number for number, row in enumerate(rows) for _ in row]
    columns = [column for row in rows for column in row]
    expected = csr_matrix(([value for row in rows for value in row.values()], (numbers, columns)))
    assert (parse_libsvm(text).toarray() == expected.toarray()).all()


def test_csv_may_be_separated_by_semicolons() -> None:
    assert parse_csv("1;2\n3;4").tolist() == [[1, 2], [3, 4]]
