"""The Lambda function of the tutorial that Verdict is based on, re-created with the same steps in the same order.

Each review is cleaned with two regular expressions, counted into a list as long as the vocabulary, written as
comma-separated numbers, and sent by a client that is created for this request only. Source: the AWS tutorial of a
sentiment web app on SageMaker, which is also a project of Udacity's "SageMaker deployment" course.
"""

import re
from collections.abc import Mapping
from typing import Any

import boto3

from chalicelib.vocabulary import Vocabulary

VOCABULARY_SIZE = 5_000  # words
CONTENT_TYPE = "text/csv"

_MARKUP = re.compile(r"<.*?>")
_DROPPED = re.compile(r"(\.)|(\;)|(\:)|(\!)|(\')|(\?)|(\,)|(\")|(\()|(\))|(\[)|(\])")
_SPACED = re.compile(r"(<br\s*/><br\s*/>)|(\-)|(\/)")


def word_columns(vocabulary: Vocabulary) -> dict[str, int]:
    """Choose words of the release for a vocabulary of the tutorial's size: word -> column."""
    words = sorted(filter(str.isalpha, vocabulary.terms))
    size = min(VOCABULARY_SIZE, len(words))
    return {words[column * len(words) // size]: column for column in range(size)}  # spread over the alphabet


def words_of(review: str) -> list[str]:
    """Return a review's words as the tutorial's function splits them."""
    text = _MARKUP.sub("", review).lower()
    return _SPACED.sub(" ", _DROPPED.sub("", text)).split()


def counts_of(words: list[str], column_of: Mapping[str, int]) -> list[int]:
    """Count the known words: one number per column."""
    counts = [0] * VOCABULARY_SIZE
    for word in words:
        if word in column_of:
            counts[column_of[word]] += 1
    return counts


def row_of(review: str, column_of: Mapping[str, int]) -> str:
    """Return the row that is sent for a review: all counts, separated by commas."""
    return ",".join([str(count) for count in counts_of(words_of(review), column_of)])


class TutorialFunction:
    """The handler of the tutorial's function, which calls an endpoint by name."""

    def __init__(self, endpoint_name: str, column_of: Mapping[str, int]) -> None:
        self._endpoint_name = endpoint_name
        self._column_of = column_of

    def __call__(self, event: Mapping[str, Any], _context: object) -> dict[str, Any]:
        """Respond to a review with `1` or `0`."""
        runtime = boto3.Session().client("sagemaker-runtime")
        response = runtime.invoke_endpoint(
            EndpointName=self._endpoint_name, ContentType=CONTENT_TYPE, Body=row_of(event["body"], self._column_of)
        )
        result = round(float(response["Body"].read().decode("utf-8")))
        return {
            "statusCode": 200,
            "headers": {"Content-Type": "text/plain", "Access-Control-Allow-Origin": "*"},
            "body": str(result),
        }
