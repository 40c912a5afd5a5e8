"""One root error and its kinds: what went wrong, in words that may be shown to the caller.

Every kind carries what an HTTP answer needs (RFC 9457: a stable `type`, a `title`, a `status`), because each surface
of the app, and its OpenAPI page, derives from these classes. `detail` is written for the person or program that
called: what happened and what to do, nothing internal. Faults of the endpoint have their own table in `endpoint`.
"""


class SentimentError(Exception):
    """The root: something failed, so there is no label.

    `type` is a stable slug, `status` an HTTP status, `retry_after_seconds` how long to wait before the same request
    may go through (None: the same request will fail again, or nobody knows).
    """

    type = "internal-error"
    title = "Something went wrong on our side"
    status = 500
    retry_after_seconds: int | None = None

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class ReleaseError(SentimentError):
    """The packaged release cannot be used: its parts are absent, damaged, or do not belong together."""

    type = "release-refused"
    title = "The packaged release cannot be used"


class MalformedBodyError(SentimentError):
    """The body is not what its content type says: bad JSON, bad UTF-8, bad base64, wrong fields."""

    type = "malformed-body"
    title = "The request body cannot be read"
    status = 400


class BodyTooLargeError(SentimentError):
    """The body, or the number of reviews in it, is over a limit."""

    type = "too-large"
    title = "The request is too large"
    status = 413


class UnsupportedMediaTypeError(SentimentError):
    """The body has a content type that is not read here."""

    type = "unsupported-media-type"
    title = "This content type is not read here"
    status = 415


class NotAcceptableError(SentimentError):
    """No representation of the answer fits the request's Accept header."""

    type = "not-acceptable"
    title = "No answer fits the Accept header"
    status = 406


class NotFoundError(SentimentError):
    """There is nothing at this address."""

    type = "not-found"
    title = "There is nothing here"
    status = 404


class EmptyReviewError(SentimentError):
    """A review holds no words at all."""

    type = "empty-review"
    title = "There is nothing to judge"
    status = 422


class NotJudgeableError(SentimentError):
    """A review of which too little is known, or not in English, where the caller can only be told a digit."""

    type = "not-judgeable"
    title = "The review cannot be judged"
    status = 422


class MethodNotAllowedError(SentimentError):
    """A method that this address does not serve."""

    type = "not-served"
    title = "This method is not served here"
    status = 405
