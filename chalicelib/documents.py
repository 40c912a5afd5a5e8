"""The documents of a response: JSON verdicts, problem documents, and the tutorial's digits.

Source for problem documents: RFC 9457. Their `type` is a URN, so it is the same wherever the app is deployed.
"""

import time
from collections.abc import Sequence
from typing import Any

from chalicelib import feedback, receipt_key
from chalicelib.errors import NotJudgeableError, SentimentError
from chalicelib.feedback import Answer, Collection
from chalicelib.predict_request import PredictRequest
from chalicelib.sentiment import PredictResponse, Verdict

JsonObject = dict[str, Any]


def problem(error: SentimentError, request_id: str) -> JsonObject:
    """Return the problem document of an error."""
    document: JsonObject = {
        "type": f"urn:verdict:problem:{error.type}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "request_id": request_id,
    }
    if error.retry_after_seconds is not None:
        document["retry_after_seconds"] = error.retry_after_seconds
    return document


def result(outcome: Verdict | SentimentError, request_id: str) -> JsonObject:
    """Return the result of one review: its verdict, or `{"error": <problem>}`."""
    if isinstance(outcome, SentimentError):
        return {"error": problem(outcome, request_id)}
    return {
        "label": outcome.label,
        "score": outcome.score,
        "known_words": outcome.known_words,
        "warnings": [warning._asdict() for warning in outcome.warnings],
        "sentences": [sentence._asdict() for sentence in outcome.explanation.sentences],
        "words": [
            {
                "text": word.text,
                "start": word.places[0].start,  # of the first place
                "end": word.places[0].end,
                "effect": word.effect,
                "sentence_effect": word.sentence_effect,
                "sentence": word.sentence,
                "places": [{"start": place.start, "end": place.end} for place in word.places],
            }
            for word in outcome.explanation.words
        ],
        "mixed": outcome.explanation.mixed,
    }


def receipts(
    reviews: Sequence[object], response: PredictResponse, release_id: str, collection: Collection | None
) -> list[JsonObject]:
    """Return `{"receipt": ...}` for each verdict, `{}` for an error, or if feedback is off or its key unreadable."""
    key = receipt_key.find(collection)
    return [
        {"receipt": feedback.write_receipt(_answer(str(review), outcome, release_id, response), key)}
        if key and isinstance(outcome, Verdict)
        else {}
        for review, outcome in zip(reviews, response.outcomes, strict=True)
    ]


def _answer(review: str, verdict: Verdict, release_id: str, response: PredictResponse) -> Answer:
    return feedback.answer(review, verdict.label, verdict.score, release_id, response.variant)


def kept(given: Answer, correction: str, collection: Collection, request_id: str, now: float) -> JsonObject:
    """Return the response to feedback that was stored at a time (seconds since 1970)."""
    until = collection.until(now)
    return {
        "id": given.id,
        "correction": correction,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        "until": until,
        "detail": feedback.THANKS.format(until=until),
        "request_id": request_id,
    }


def as_json(
    request: PredictRequest,
    response: PredictResponse,
    release_id: str,
    request_id: str,
    collection: Collection | None = None,
) -> JsonObject:
    """Return the whole JSON response: a result, or `{"results": [...]}` for several reviews.

    Each verdict has a receipt if feedback is collected. Raises the error of a single review, which is the request's
    error.
    """
    more = receipts(request.reviews, response, release_id, collection)
    origin = {"release": release_id, "variant": response.variant, "request_id": request_id}
    if request.several:
        results = [
            result(outcome, request_id) | receipt for outcome, receipt in zip(response.outcomes, more, strict=True)
        ]
        return {"results": [each if "error" in each else each | origin for each in results], **origin}
    return result(response.single, request_id) | more[0] | origin


def as_digits(response: PredictResponse) -> str:
    """Return the tutorial's response, `1` for positive and `0` for negative, a line for each review.

    There is no digit for "not sure": inside the band it is the likelier label, as in the tutorial. Raises the first
    error of the response, and `NotJudgeableError` for a review that cannot be judged.
    """
    return "\n".join(_digit(outcome) for outcome in response.outcomes)


def _digit(outcome: Verdict | SentimentError) -> str:
    """Return the digit of one review, or raise its error."""
    if isinstance(outcome, SentimentError):
        raise outcome
    if not outcome.judgeable:
        reasons = " ".join(warning.message for warning in outcome.warnings)
        raise NotJudgeableError(f"{reasons} Request application/json for details.")
    return "1" if outcome.score >= 0.5 else "0"
