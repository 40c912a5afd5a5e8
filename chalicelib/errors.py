"""The exceptions of this project: one root error, and a subclass for each problem type of the HTTP API.

    SentimentError
      ReleaseError
      MalformedBodyError, BodyTooLargeError, UnsupportedMediaTypeError, NotAcceptableError
      NotFoundError, MethodNotAllowedError
      EmptyReviewError, NotJudgeableError
      InvalidReceiptError, FeedbackNotKeptError
      endpoint_errors.EndpointError

Each class has the fields of a problem document (RFC 9457): a stable `type`, a `title` and a `status`. The app's
responses and its OpenAPI document are derived from these classes. `detail` is written for the caller: what happened and
what to do, without internals.
"""


class SentimentError(Exception):
    """The root error.

    `type` is a stable slug, `status` an HTTP status, and `retry_after_seconds` the time after which the same request
    may succeed (None: unknown, or it will fail again).
    """

    type = "internal-error"
    title = "Something went wrong on our side"
    status = 500
    retry_after_seconds: int | None = None

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class ReleaseError(SentimentError):
    """The packaged release cannot be used: its parts are missing or damaged, or they do not match."""

    type = "release-refused"
    title = "The packaged release cannot be used"


class MalformedBodyError(SentimentError):
    """The body does not match its content type: invalid JSON, UTF-8 or base64, or wrong fields."""

    type = "malformed-body"
    title = "The request body cannot be read"
    status = 400


class BodyTooLargeError(SentimentError):
    """The body is too large, or has too many reviews."""

    type = "too-large"
    title = "The request is too large"
    status = 413


class UnsupportedMediaTypeError(SentimentError):
    """The content type, charset or content encoding of the body is not supported."""

    type = "unsupported-media-type"
    title = "This content type or encoding is not supported"
    status = 415


class NotAcceptableError(SentimentError):
    """No representation of the response matches the request's Accept header."""

    type = "not-acceptable"
    title = "No response matches the Accept header"
    status = 406


class NotFoundError(SentimentError):
    """No resource has this address."""

    type = "not-found"
    title = "There is nothing at this address"
    status = 404


class EmptyReviewError(SentimentError):
    """A review has no words."""

    type = "empty-review"
    title = "The review is empty"
    status = 422


class NotJudgeableError(SentimentError):
    """Too few words of a review are known, or it is not in English, and `text/plain` cannot express that."""

    type = "not-judgeable"
    title = "The review cannot be judged"
    status = 422


class MethodNotAllowedError(SentimentError):
    """This address does not support the request's method."""

    type = "not-served"
    title = "This address does not support this method"
    status = 405


class InvalidReceiptError(SentimentError):
    """The receipt of feedback is forged, of an earlier key, or of another review."""

    type = "invalid-receipt"
    title = "The receipt is not valid"
    status = 422


class FeedbackNotKeptError(SentimentError):
    """The feedback could not be stored. `cause` names the error in the request log; callers do not see it."""

    type = "feedback-not-kept"
    title = "Your answer could not be kept"
    status = 503

    def __init__(self, detail: str, cause: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(detail)
        self.cause = cause
        self.retry_after_seconds = retry_after_seconds
