"""The OpenAPI 3.1 document of this API, derived from the error classes, the table of faults and the limits.

Source: the OpenAPI Specification 3.1.0. Tests validate the document, and real responses against its schemas.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib import assets, endpoint_errors, errors, feedback, forms, predict_request, sentiment
from chalicelib.feedback import Collection
from chalicelib.text import MAX_REVIEW_LENGTH

JsonObject = dict[str, Any]
Problem = type[errors.SentimentError] | endpoint_errors.Fault
_OF_FEEDBACK = (errors.InvalidReceiptError.type, errors.FeedbackNotKeptError.type)

_SHARE: JsonObject = {"type": "number", "minimum": 0, "maximum": 1}
_EFFECT: JsonObject = {"type": "number", "minimum": -1, "maximum": 1}
_OFFSET: JsonObject = {"type": "integer", "minimum": 0, "description": "in Unicode code points of the submitted review"}
_TEXT: JsonObject = {"type": "string"}
_REVIEW: JsonObject = {"type": "string", "minLength": 1, "pattern": r"\S"}


def _object(properties: JsonObject, optional: frozenset[str] = frozenset()) -> JsonObject:
    """Return the schema of an object; its properties are required unless optional."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "properties": properties}


def _list(items: JsonObject) -> JsonObject:
    return {"type": "array", "items": items}


def _reference(schema: str) -> JsonObject:
    return {"$ref": f"#/components/schemas/{schema}"}


def problems(with_feedback: bool = False) -> dict[str, Problem]:
    """Return every problem of this API by type: error classes and faults, each with a status and a title.

    Without feedback, its own problems are left out.
    """
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    found: list[Problem] = [kind for kind in classes if issubclass(kind, errors.SentimentError)]
    found += {*endpoint_errors.FAULTS.values(), endpoint_errors.BAD_ANSWER, endpoint_errors.UNKNOWN}
    used = [problem for problem in found if with_feedback or problem.type not in _OF_FEEDBACK]
    return {problem.type: problem for problem in sorted(used, key=lambda problem: problem.type)}


def problem_types(with_feedback: bool = False) -> dict[str, int]:
    """Return every problem type of this API with its status, as `problems`."""
    return {slug: problem.status for slug, problem in problems(with_feedback).items()}


def type_name(schema: Mapping[str, Any]) -> str:
    """Name a schema's type in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    choices = schema.get("oneOf") or schema.get("anyOf")
    if choices:
        return " or ".join(type_name(choice) for choice in choices)
    if schema.get("type") == "array":
        return f"list of {type_name(schema.get('items', {}))}"
    if "enum" in schema:
        return " or ".join(f'"{value}"' for value in schema["enum"])
    kind = schema.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


_LABEL = {
    "type": "string",
    "enum": [sentiment.POSITIVE, sentiment.NEGATIVE, sentiment.NOT_SURE],
    "description": "not sure: the score is strictly inside the release's band (not_sure_band of /version), or too few "
    "words are known, or the text does not look English. Outside the band, held-out reviews and excerpts of one to "
    "three sentences reached the precision that /version states",
}


_REQUEST_ID: JsonObject = _TEXT | {"description": "the request's id, as in the X-Request-Id header"}
_EFFECT_OR_NULL: JsonObject = {"anyOf": [_EFFECT, {"type": "null"}]}
_RECEIPT: JsonObject = {
    "receipt": _TEXT | {"description": "what POST /feedback needs to correct this verdict, if feedback is collected"}
}
_SENTENCE_FIELDS: JsonObject = {
    "text": _TEXT,
    "start": _OFFSET,
    "end": _OFFSET,
    "score": _SHARE | {"description": "the score of the sentence as a review of its own"},
    "effect": _EFFECT_OR_NULL
    | {"description": "the review's score minus its score without the sentence; null: not computed"},
}
_WORD_FIELDS: JsonObject = {
    "text": _TEXT,
    "start": _OFFSET,
    "end": _OFFSET,
    "effect": _EFFECT_OR_NULL
    | {"description": "the review's score minus its score without the word; null: not computed"},
    "sentence_effect": _EFFECT | {"description": "the sentence's own score minus its score without the word"},
    "sentence": {"type": ["integer", "null"], "minimum": 0, "description": "the index of the word's sentence"},
    "places": _list(_object({"start": _OFFSET, "end": _OFFSET}))
    | {"description": "where the word is in its sentence; start and end are those of the first"},
}


def _schemas(with_feedback: bool) -> JsonObject:
    """Return the schemas of requests and responses."""
    origin = {
        "release": _TEXT | {"description": "the release of the model"},
        "variant": _TEXT | {"description": "the endpoint's variant that scored the review"},
        "request_id": _REQUEST_ID,
    }
    item_error = _object({"error": _reference("Problem")})
    return {
        **_request_schemas(),
        "Verdict": _object(_verdict_fields() | origin | (_RECEIPT if with_feedback else {})),
        "Verdicts": _object({"results": _list({"oneOf": [_reference("Verdict"), item_error]}), **origin}),
        "Problem": _problem_schema(with_feedback),
        **(_feedback_schemas() if with_feedback else {}),
    }


def _request_schemas() -> JsonObject:
    """Return the schemas of the two JSON requests."""
    explain = {"type": "boolean", "description": "whether to return the sentences and words that decided the verdict"}
    single = {
        "review": _REVIEW | {"description": "a movie review in English"},
        "explain": explain | {"default": True},
    }
    several = {
        "reviews": {
            "type": "array",
            "minItems": 1,
            "maxItems": sentiment.MAX_REVIEWS,
            "items": {},
            "description": "strings; an empty string, or anything else, has an error in its place",
        },
        "explain": explain | {"default": False},
    }
    return {
        "Review": _object(single, frozenset({"explain"})),
        "Reviews": _object(several, frozenset({"explain"})),
    }


def _verdict_fields() -> JsonObject:
    """Return the fields of a verdict, without its origin and its receipt."""
    return {
        "label": _LABEL,
        "score": _SHARE | {"description": "the probability that the review is positive"},
        "known_words": _SHARE | {"description": "the share of the words that the model knows"},
        "warnings": _list(_object({"code": _TEXT, "message": _TEXT})),
        "sentences": _list(_object(_SENTENCE_FIELDS)) | {"description": "empty if explain is false"},
        "words": _list(_object(_WORD_FIELDS))
        | {"description": "the words with the largest effects on their sentences' scores, strongest first"},
        "mixed": {"type": "boolean", "description": "whether some strong sentences are positive and others negative"},
    }


def _problem_schema(with_feedback: bool) -> JsonObject:
    """Return the schema of an error: a problem document of RFC 9457."""
    types = [f"urn:verdict:problem:{slug}" for slug in problem_types(with_feedback)]
    problem = {
        "type": {"type": "string", "enum": types},
        "title": _TEXT | {"description": "what the problem is, the same for every problem of a type"},
        "status": {"type": "integer", "description": "the HTTP status"},
        "detail": _TEXT | {"description": "what happened, and what to do"},
        "request_id": _REQUEST_ID,
        "retry_after_seconds": {"type": "integer", "description": "when the same request may succeed"},
    }
    return _object(problem, frozenset({"retry_after_seconds"}))


_FEEDBACK_FIELDS: JsonObject = {
    "review": {
        "type": "string",
        "maxLength": MAX_REVIEW_LENGTH,
        "description": "the review that was judged, as far as it was read",
    },
    "receipt": _TEXT | {"description": "the receipt of its verdict"},
    "correction": {"type": "string", "enum": list(feedback.CORRECTIONS), "description": "what the review really is"},
}


def _feedback_schemas() -> JsonObject:
    """Return the schemas of feedback and its response."""
    kept = {
        "id": _TEXT | {"description": "the id of the record; the same verdict on the same review is kept once"},
        "correction": _FEEDBACK_FIELDS["correction"],
        "time": {"type": "string", "format": "date-time"},
        "until": {"type": "string", "format": "date", "description": "when the record expires"},
        "detail": _TEXT | {"description": "the same as a sentence"},
        "request_id": _REQUEST_ID,
    }
    return {"Feedback": _object(_FEEDBACK_FIELDS), "Kept": _object(kept)}


def _problem_responses(statuses: set[int], types: Mapping[str, int] | None = None) -> JsonObject:
    """Return the error responses of a route by status, with their problem types (by default, all but feedback's)."""
    types = problem_types() if types is None else types
    text = _TEXT | {"pattern": "^Error: [^\n]+\nRequest: [^\n]+\n$"}
    content = {
        "application/problem+json": {"schema": _reference("Problem")},
        "text/plain": {"schema": text},
        "text/html": {"schema": _TEXT},
    }
    headers: JsonObject = {"X-Request-Id": {"schema": _TEXT, "required": True}}
    slugs_of = {status: [slug for slug, code in types.items() if code == status] for status in sorted(statuses)}
    return {
        str(status): {
            "description": ", ".join(slugs),
            "headers": headers | ({"Retry-After": {"schema": {"type": "integer"}}} if status >= 500 else {}),
            "content": content,
        }
        for status, slugs in slugs_of.items()
    }


def _predict(sampling_notice: str) -> JsonObject:
    """Return the operation `POST /predict`."""
    flag = {"type": "string", "enum": ["true", "false", "on", "off", "1", "0", "yes", "no", ""]}
    form = _object({"review": _REVIEW, "several": flag, "explain": flag}, frozenset({"several", "explain"}))
    body = {
        "text/plain": {"schema": _REVIEW, "example": "One of the best films I have ever seen"},
        forms.FORM_TYPE: {"schema": form},
        forms.MULTIPART_TYPE: {"schema": form},
        "application/json": {
            "schema": {"oneOf": [_reference("Review"), _reference("Reviews")]},
            "example": {"review": "One of the best films I have ever seen"},
        },
    }
    digits = _TEXT | {"pattern": "^[01](\n[01])*$", "description": "1 for positive, 0 for negative"}
    verdicts = {"oneOf": [_reference("Verdict"), _reference("Verdicts")]}
    responses = {
        "application/json": {"schema": verdicts},
        "text/plain": {"schema": digits},
        "text/html": {"schema": _TEXT},
    }
    return {
        "operationId": "predict",
        "summary": "Judge one review, or up to 100",
        "description": f"At most {predict_request.MAX_BODY_BYTES:,} bytes; "
        f"only the first {MAX_REVIEW_LENGTH:,} characters of a review are read. The Accept header selects "
        "the response; by default it is text for text, and JSON for a form or JSON. A gzip body is decompressed."
        f"{' ' if sampling_notice else ''}{sampling_notice}",
        "requestBody": {"required": True, "content": body},
        "responses": {
            "200": {"description": "A verdict, or a result for each review in order", "content": responses},
            **_problem_responses(set(problem_types().values()) - {404, 405}),
        },
    }


def _feedback(collection: Collection) -> JsonObject:
    """Return the operation `POST /feedback`."""
    form = {"schema": _object(_FEEDBACK_FIELDS)}
    json_body = {"application/json": {"schema": _reference("Feedback")}}
    types = {
        slug: status
        for slug, status in problem_types(with_feedback=True).items()
        if slug in _OF_FEEDBACK or status in {400, 406, 413, 415} or slug == errors.SentimentError.type
    }
    responses = {"application/json": {"schema": _reference("Kept")}, "text/plain": {"schema": _TEXT}}
    return {
        "operationId": "feedback",
        "summary": "Correct a verdict, or confirm it",
        "description": f"Only in deployments that collect feedback. {collection.privacy_notice}",
        "requestBody": {"required": True, "content": {**json_body, forms.FORM_TYPE: form, forms.MULTIPART_TYPE: form}},
        "responses": {
            "200": {"description": "It is kept", "content": {**responses, "text/html": {"schema": _TEXT}}},
            **_problem_responses(set(types.values()), types),
        },
    }


def _read(operation: str, summary: str, media_type: str, statuses: frozenset[int] = frozenset()) -> JsonObject:
    """Return the operation of a GET route without parameters."""
    schema = {"type": "object"} if media_type == "application/json" else _TEXT
    success = {"200": {"description": summary, "content": {media_type: {"schema": schema}}}}
    return {
        "get": {"operationId": operation, "summary": summary, "responses": success | _problem_responses(set(statuses))}
    }


def document(collection: Collection | None = None) -> JsonObject:
    """Return the OpenAPI document; its server is relative to the document's own address.

    `collection`: how feedback is collected; None if it is not, and there is no such route.
    """
    sampling_notice = collection.sampling_notice if collection else ""
    asset = _read("static", "A static file of the page", "text/css", frozenset({404}))
    asset["get"]["responses"]["200"]["content"] = {kind: {"schema": _TEXT} for kind in assets.media_types()}
    name = {"name": "name", "in": "path", "required": True, "schema": _TEXT, "example": "style.css"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Verdict",
            "version": "1",
            "summary": "Sentiment of movie reviews, with explanations",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "."}],
        "paths": {
            "/": _read("page", "The page", "text/html"),
            "/predict": {"post": _predict(sampling_notice)},
            **({"/feedback": {"post": _feedback(collection)}} if collection else {}),
            "/health": _read("health", "Whether the app is running", "application/json"),
            "/ready": _read(
                "ready", "Whether the endpoint can score a review", "application/json", frozenset({500, 502, 503, 504})
            ),
            "/version": _read("version", "The packaged release", "application/json"),
            "/report": _read("report", "The release's report: figures and plots", "text/html", frozenset({404})),
            "/api": _read("api", "The page about this API, with examples", "text/html"),
            "/openapi.json": _read("openapi", "This document", "application/json"),
            "/static/{name}": {**asset, "parameters": [name]},
        },
        "components": {"schemas": _schemas(collection is not None)},
    }
