"""The serving half of the built-in XGBoost container, as in the images 3.0-5 and 3.2-0, quirks included.

Image 3.2-0 subtracts 1 from every index of a libsvm request whose smallest index is 1 or more. So a row without column
0 is misread if no other row of its request has that column. Image 3.0-5 reads indices as they are. Both compute scores
with the xgboost that is installed here.

The order of the checks is the container's: size, empty body, content type and body, prediction, Accept. A form is read
by the container's web framework, so the container finds an empty body. Source:
`algorithm_mode/serve.py`, `serve_utils.py` and `encoder.py` of github.com/aws/sagemaker-xgboost-container, the image's
published code. Not simulated: recordio-protobuf bodies (status 501, which the container never returns),
ensembles of several model files, `SAGEMAKER_INFERENCE_OUTPUT`, and paths other than `/invocations`.
"""

import csv
import json
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import xgboost
from scipy.sparse import csr_matrix

from chalicelib.errors import ReleaseError, SentimentError
from simulator.container.content_types import format_of, is_form, parse_header
from simulator.http.messages import HttpResponse
from training.model.container_image import TAG

LARGEST_BODY_BYTES = 6 * 1024 * 1024
SHIFTING_TAGS = ("3.2-0",)  # images that count columns from 1 if a request has no column 0
ANSWER_TYPES = ["application/json", "application/jsonlines", "application/x-recordio-protobuf", "text/csv"]

Scores = list[Any]  # floats, unless a fault is injected


class NotSimulatedError(SentimentError):
    """The real container can read this body, the simulator cannot."""

    type = "not-simulated"
    title = "The simulator cannot read this"
    status = 501


class Container:
    """A model in a container of the image with this tag. Thread-safe: predictions run one at a time."""

    def __init__(self, model: bytes, tag: str = TAG) -> None:
        """Load a model (UBJSON or JSON); raises `ReleaseError` if xgboost cannot read it."""
        self._shifts = tag in SHIFTING_TAGS
        try:
            self._booster = xgboost.Booster(model_file=bytearray(model))
        except xgboost.core.XGBoostError as error:
            raise ReleaseError(f"xgboost {xgboost.__version__} cannot read the model: {error}.") from error
        self._booster.set_param("nthread", "1")  # as in the container
        self._lock = threading.Lock()

    def invoke(
        self,
        body: bytes,
        content_type: str | None = None,
        accept: str | None = None,
        distort: Callable[[Scores], Scores] = lambda scores: scores,
    ) -> HttpResponse:
        """Answer `POST /invocations`; `distort` changes the scores before they are written."""
        if len(body) > LARGEST_BODY_BYTES:
            return _html(413, "Request Entity Too Large", "The data value transmitted exceeds the capacity limit.")
        if not body or is_form(content_type):
            return HttpResponse(204)
        try:
            matrix = parse_body(body, content_type, self._shifts)
        except ValueError as error:
            return _text(415, str(error))
        except NotSimulatedError as error:
            return _text(501, error.detail)
        try:
            scores = self._predict(matrix)
        except xgboost.core.XGBoostError as error:
            return _text(400, f"Unable to evaluate payload provided: {error}")
        return _write(distort(scores), accept)

    def _predict(self, matrix: xgboost.DMatrix) -> Scores:
        """Return a score for each row: float32 widened to float64."""
        with self._lock:
            scores: Scores = self._booster.predict(matrix, validate_features=False).tolist()
        return scores


def parse_body(body: bytes, content_type: str | None, shifts: bool = False) -> xgboost.DMatrix:
    """Parse a body by its content type (none: libsvm); `shifts`: see `parse_libsvm`.

    Raises `ValueError` with the container's message, or `NotSimulatedError`.
    """
    match format_of(content_type):
        case "csv":
            return _read_as("csv", parse_csv, body)
        case "libsvm":
            return _read_as("libsvm", partial(parse_libsvm, shifts=shifts), body)
        case "recordio-protobuf":
            raise NotSimulatedError("recordio-protobuf is supported by the real container, but not by this simulator.")
    raise ValueError(f"Content-type {content_type} is not supported.")


def _read_as(name: str, parse: Callable[[str], Any], body: bytes) -> xgboost.DMatrix:
    """Parse a body into a matrix; raises `ValueError` with the container's message."""
    try:
        return xgboost.DMatrix(parse(body.strip().decode()), nthread=1)
    except (ValueError, IndexError, OverflowError, MemoryError, csv.Error, xgboost.core.XGBoostError) as error:
        raise ValueError(
            f"Loading {name} data failed with Exception, please ensure data is in {name} format:\n"
            f" {type(error)}\n {error}"
        ) from error


def parse_libsvm(text: str, shifts: bool = False) -> csr_matrix:
    """Parse libsvm lines: indices start at 0, absent columns are missing values.

    `shifts`: subtract 1 from all indices if the smallest is 1 or more, as image 3.2-0 does. A field without a colon (a
    label) is ignored, duplicate indices add up, the width is the largest index plus 1, and trailing lines without
    fields are dropped. Raises `ValueError` or `OverflowError`.
    """
    fields: list[str] = []
    counts: list[int] = []  # of fields in each line
    for line in text.split("\n"):
        found = [field for field in line.split(" ") if ":" in field]
        fields += found
        counts.append(len(found))
    parts = [field.split(":", 2) for field in fields]
    columns, values = _numbers([part[0] for part in parts], np.int64), _numbers([part[1] for part in parts], np.float64)
    if shifts and columns.size and columns.min() >= 1:
        columns -= 1
    return csr_matrix((values, (np.repeat(np.arange(len(counts)), counts), columns)))


def parse_csv(text: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Parse lines of numbers: 0 is a real zero, an empty cell is missing. Raises `ValueError` or `csv.Error`."""
    lines = text.split("\n")
    delimiter = csv.Sniffer().sniff(lines[0][:512]).delimiter
    if delimiter.isalnum():
        delimiter = ","
    return _numbers([[cell or "nan" for cell in line.split(delimiter)] for line in lines], np.float64)


def _numbers(texts: list[Any], kind: type[np.generic]) -> np.ndarray[Any, Any]:
    """Convert texts to numbers through an array of texts, as the container does: NULs at the end of a text are lost."""
    return np.array(texts).astype(kind)


def _write(scores: Scores, accept: str | None) -> HttpResponse:
    """Write scores in the type of the Accept header; rejects a list of types."""
    requested = parse_header(accept or "")[0]
    kind = requested.lower()
    if kind in ("", "*/*", "text/csv"):
        return _text(200, "".join(f"{score}\n" for score in scores), "text/csv; charset=utf-8")
    if kind == "application/json":
        return _text(200, json.dumps({"predictions": [{"score": score} for score in scores]}), kind)
    if kind in ANSWER_TYPES:  # the container lists these as supported, but fails
        return _html(500, "Internal Server Error", "The server encountered an internal error.")
    return _text(406, f"Accept type {requested} is not supported. Please use supported accept types: {ANSWER_TYPES}.")


def _text(status: int, text: str, content_type: str = "text/html; charset=utf-8") -> HttpResponse:
    return HttpResponse(status, text.encode(), {"Content-Type": content_type})


def _html(status: int, title: str, sentence: str) -> HttpResponse:
    """Return an error page as the container's web framework writes it."""
    page = f"<!doctype html>\n<html lang=en>\n<title>{status} {title}</title>\n<h1>{title}</h1>\n<p>{sentence}</p>\n"
    return _text(status, page)
