"""This API, described: an OpenAPI 3.1 document made from the error classes, the fault table and the limits in code.

Source: the OpenAPI Specification 3.1.0. Tests validate the document, and real answers against its schemas.
"""

from typing import Any

from chalicelib import endpoint_errors, errors, predict_request, sentiment

JsonObject = dict[str, Any]

_SHARE: JsonObject = {"type": "number", "minimum": 0, "maximum": 1}
_EFFECT: JsonObject = {"type": "number", "minimum": -1, "maximum": 1}
_OFFSET: JsonObject = {"type": "integer", "minimum": 0, "description": "in Unicode code points of the review sent"}
_TEXT: JsonObject = {"type": "string"}


def _object(properties: JsonObject, optional: frozenset[str] = frozenset()) -> JsonObject:
    """Describe an object by its properties, all required but the optional ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "properties": properties}


def _list(items: JsonObject) -> JsonObject:
    return {"type": "array", "items": items}


def _reference(schema: str) -> JsonObject:
    return {"$ref": f"#/components/schemas/{schema}"}


def problem_types() -> dict[str, int]:
    """Return every problem type this API answers with, and its status."""
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    kinds = {kind.type: kind.status for kind in classes if issubclass(kind, errors.SentimentError)}
    tabled = {
        fault.type: fault.status
        for fault in {*endpoint_errors.FAULTS.values(), endpoint_errors.BAD_ANSWER, endpoint_errors.UNKNOWN}
    }
    return dict(sorted({**kinds, **tabled}.items()))


_LABEL = {
    "type": "string",
    "enum": [sentiment.POSITIVE, sentiment.NEGATIVE, sentiment.NOT_SURE],
    "description": "not sure: the score is strictly inside the release's band (not_sure_band of /version), outside of "
    "which the share of right answers stated there (precision) was reached on held-out reviews and on one to three "
    "sentences of each; or too few words are known, or the text does not look English",
}


def _schemas() -> JsonObject:
    """Describe the documents that are sent and answered."""
    about = {"release": _TEXT, "variant": _TEXT, "request_id": _TEXT}
    place = _object({"start": _OFFSET, "end": _OFFSET})
    sentence = _object({"text": _TEXT, "start": _OFFSET, "end": _OFFSET, "score": _SHARE, "effect": _EFFECT})
    places = _list(place) | {"description": "all places of the word; start and end are those of the first"}
    word = _object({"text": _TEXT, "start": _OFFSET, "end": _OFFSET, "effect": _EFFECT, "places": places})
    verdict = {
        "label": _LABEL,
        "score": _SHARE | {"description": "the probability that the review is positive"},
        "known_words": _SHARE | {"description": "the share of its words that the model knows"},
        "warnings": _list(_object({"code": _TEXT, "message": _TEXT})),
        "sentences": _list(sentence) | {"description": "empty unless explained"},
        "words": _list(word) | {"description": "those that moved the score most, strongest first"},
        **about,
    }
    problem = {
        "type": {"type": "string", "enum": [f"urn:verdict:problem:{slug}" for slug in problem_types()]},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "request_id": _TEXT,
        "retry_after_seconds": {"type": "integer"},
    }
    item_error = _object({"error": _reference("Problem")})
    one = {"review": {"type": "string", "minLength": 1}, "explain": {"type": "boolean", "default": True}}
    many = {
        "reviews": {"type": "array", "minItems": 1, "maxItems": sentiment.MOST_REVIEWS, "items": _TEXT},
        "explain": {"type": "boolean", "default": False},
    }
    return {
        "Review": _object(one, frozenset({"explain"})),
        "Reviews": _object(many, frozenset({"explain"})),
        "Verdict": _object(verdict),
        "Verdicts": _object({"results": _list({"oneOf": [_reference("Verdict"), item_error]}), **about}),
        "Problem": _object(problem, frozenset({"retry_after_seconds"})),
    }


def _problem_responses(statuses: set[int]) -> JsonObject:
    """Describe the error answers of a route, a response a status, with the problem types it can carry."""
    content = {"application/problem+json": {"schema": _reference("Problem")}}
    told = {status: [slug for slug, own in problem_types().items() if own == status] for status in sorted(statuses)}
    return {str(status): {"description": ", ".join(slugs), "content": content} for status, slugs in told.items()}


def _predict() -> JsonObject:
    """Describe `POST /predict`."""
    form = _object({"review": _TEXT, "several": {"type": "string"}}, frozenset({"several"}))
    body = {
        "text/plain": {"schema": _TEXT, "example": "One of the best films I have ever seen"},
        predict_request.FORM_TYPE: {"schema": form},
        "application/json": {
            "schema": {"oneOf": [_reference("Review"), _reference("Reviews")]},
            "example": {"review": "One of the best films I have ever seen"},
        },
    }
    digits = _TEXT | {"pattern": "^[01](\n[01])*$", "description": "1 for positive, 0 for negative"}
    verdicts = {"oneOf": [_reference("Verdict"), _reference("Verdicts")]}
    answer = {
        "application/json": {"schema": verdicts},
        "text/plain": {"schema": digits},
        "text/html": {"schema": _TEXT},
    }
    return {
        "operationId": "predict",
        "summary": "Judge one review, or up to 100",
        "description": f"At most {predict_request.LARGEST_BODY:,} bytes; "
        f"of a review, {sentiment.LONGEST_REVIEW:,} characters. "
        "The Accept header chooses the answer; where it is open, text answers text, a form the page, JSON JSON.",
        "requestBody": {"required": True, "content": body},
        "responses": {
            "200": {"description": "A verdict, or one for each review in order", "content": answer},
            **_problem_responses(set(problem_types().values()) - {404, 405}),
        },
    }


def _read(operation: str, summary: str, media_type: str, statuses: frozenset[int] = frozenset()) -> JsonObject:
    """Describe a GET route that takes nothing."""
    schema = {"type": "object"} if media_type == "application/json" else _TEXT
    found = {"200": {"description": summary, "content": {media_type: {"schema": schema}}}}
    return {
        "get": {"operationId": operation, "summary": summary, "responses": found | _problem_responses(set(statuses))}
    }


def document() -> JsonObject:
    """Return the OpenAPI document; its server is wherever the document was read from."""
    asset = _read("static", "A file that the page uses", "text/css", frozenset({404}))
    name = {"name": "name", "in": "path", "required": True, "schema": _TEXT}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Verdict",
            "version": "1",
            "summary": "Tells what a movie review really says",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "."}],
        "paths": {
            "/": _read("page", "The page", "text/html"),
            "/predict": {"post": _predict()},
            "/health": _read("health", "Whether the app answers", "application/json"),
            "/ready": _read("ready", "Whether the model answers", "application/json", frozenset({500, 502, 503, 504})),
            "/version": _read("version", "Which release is packaged", "application/json"),
            "/report": _read("report", "The release's report: figures and plots", "text/html", frozenset({404})),
            "/openapi.json": _read("openapi", "This document", "application/json"),
            "/static/{name}": {**asset, "parameters": [name]},
        },
        "components": {"schemas": _schemas()},
    }
