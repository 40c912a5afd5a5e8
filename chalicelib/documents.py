"""Verdicts and errors -> the documents that answer a request: JSON objects, problem documents, the tutorial's digits.

Source for problems: RFC 9457. Their `type` is a name, not an address: it stays the same wherever the app is deployed.
"""

from dataclasses import asdict
from typing import Any

from chalicelib.errors import NotJudgeableError, SentimentError
from chalicelib.predict_request import PredictRequest
from chalicelib.sentiment import PredictResponse, Verdict

JsonObject = dict[str, Any]


def problem(error: SentimentError, request_id: str) -> JsonObject:
    """Return the problem document of an error; nothing but what the error was written to tell."""
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
    """Return one review's part of an answer: its verdict, or `{"error": <problem>}`."""
    if isinstance(outcome, SentimentError):
        return {"error": problem(outcome, request_id)}
    return {
        "label": outcome.label,
        "score": outcome.score,
        "known_words": outcome.known_words,
        "warnings": [asdict(caution) for caution in outcome.warnings],
        "sentences": [asdict(sentence) for sentence in outcome.explanation.sentences],
        "words": [
            {
                "text": word.text,
                "start": word.places[0].start,  # its first place, so that words read like sentences
                "end": word.places[0].end,
                "effect": word.effect,
                "places": [{"start": place.start, "end": place.end} for place in word.places],
            }
            for word in outcome.explanation.words
        ],
    }


def as_json(inquiry: PredictRequest, judgement: PredictResponse, release_id: str, request_id: str) -> JsonObject:
    """Return the whole JSON answer: one result, or `{"results": [...]}` where several were asked about.

    Raises the error of a single review, since it is then the request's.
    """
    about = {"release": release_id, "variant": judgement.variant, "request_id": request_id}
    if inquiry.several:
        results = [result(outcome, request_id) for outcome in judgement.outcomes]
        return {"results": [each if "error" in each else each | about for each in results], **about}
    return result(single(judgement), request_id) | about


def as_digits(judgement: PredictResponse) -> str:
    """Return the tutorial's answer, `1` for positive and `0` for negative; a line each where several were asked.

    A digit cannot say "not sure": inside the band it is the likelier of the two, as the tutorial's was. Raises
    `NotJudgeableError` for a review that cannot be judged, and the first error that stands in place of a verdict.
    """
    return "\n".join(_digit(outcome) for outcome in judgement.outcomes)


def _digit(outcome: Verdict | SentimentError) -> str:
    """Return one review's digit, or raise why there is none."""
    if isinstance(outcome, SentimentError):
        raise outcome
    if not outcome.judgeable:
        reasons = " ".join(caution.message for caution in outcome.warnings)
        raise NotJudgeableError(f"{reasons} Ask for JSON to see more.")
    return "1" if outcome.score >= 0.5 else "0"


def single(judgement: PredictResponse) -> Verdict:
    """Return the verdict on the only review asked about; raises the error that stands in its place."""
    outcome = judgement.outcomes[0]
    if isinstance(outcome, SentimentError):
        raise outcome
    return outcome
