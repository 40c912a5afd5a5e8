"""What can go wrong when the endpoint is asked, and what each fault becomes: one table, read by everything else.

A fault is found by the error code that AWS sends, or by the name of a botocore error's class or of its ancestors.
Source: the errors of `sagemaker-runtime` in botocore's service model, and the AWS page of InvokeEndpoint. boto3's
own retries are off (see `endpoint`); `retried` says for which faults a second try can help.
"""

from dataclasses import dataclass

from chalicelib.errors import SentimentError


@dataclass(frozen=True)
class Fault:
    """What a caller is told: a problem type and status, a sentence, and when to come back (seconds; None: unknown)."""

    type: str
    status: int
    title: str
    detail: str
    retry_after_seconds: int | None
    retried: bool


STARTING = Fault(
    "endpoint-starting", 503, "The model is starting", "The model is being loaded. Try again in a moment.", 10, False
)
BUSY = Fault(
    "endpoint-busy", 503, "The model is busy", "Too many reviews are being judged right now. Try again.", 2, True
)
DOWN = Fault(
    "endpoint-down", 503, "The model cannot be reached", "The model does not answer right now. Try again soon.", 5, True
)
FAILED = Fault(
    "endpoint-failed", 502, "The model's service failed", "The model's service reported a failure. Try again.", 5, True
)
MODEL_FAILED = Fault(
    "model-failed", 502, "The model could not judge this", "The model refused or failed on this request.", None, False
)
ABSENT = Fault(
    "endpoint-absent", 503, "There is no model yet", "The model is not deployed, or not ready yet.", 60, False
)
SLOW = Fault(
    "endpoint-slow", 504, "The model took too long", "No answer came within the time that is left. Try again.", 5, False
)
MISCONFIGURED = Fault(
    "misconfigured", 500, "This site is not set up rightly", "This site may not ask its model.", None, False
)
BAD_ANSWER = Fault(
    "bad-answer",
    502,
    "The model gave no usable answer",
    "The model's answer was not a score for each review.",
    5,
    False,
)
UNKNOWN = Fault(
    "endpoint-fault", 502, "The model cannot be asked", "Something unexpected happened on the way to it.", None, False
)

FAULTS: dict[str, Fault] = {
    # error codes of the service
    "ModelNotReadyException": STARTING,
    "ThrottlingException": BUSY,
    "Throttling": BUSY,
    "ThrottledException": BUSY,
    "TooManyRequestsException": BUSY,
    "RequestLimitExceeded": BUSY,
    "ServiceUnavailable": DOWN,
    "ServiceUnavailableException": DOWN,
    "InternalFailure": FAILED,
    "InternalServerError": FAILED,
    "InternalServerException": FAILED,
    "InternalDependencyException": FAILED,
    "ModelError": MODEL_FAILED,
    "ValidationError": ABSENT,
    "ValidationException": ABSENT,
    "AccessDenied": MISCONFIGURED,
    "AccessDeniedException": MISCONFIGURED,
    "ExpiredToken": MISCONFIGURED,
    "ExpiredTokenException": MISCONFIGURED,
    "IncompleteSignature": MISCONFIGURED,
    "InvalidClientTokenId": MISCONFIGURED,
    "InvalidSignatureException": MISCONFIGURED,
    "MissingAuthenticationToken": MISCONFIGURED,
    "NotAuthorized": MISCONFIGURED,
    "OptInRequired": MISCONFIGURED,
    "SignatureDoesNotMatch": MISCONFIGURED,
    "UnrecognizedClientException": MISCONFIGURED,
    # botocore's own errors, most of them ancestors of several
    "ConnectTimeoutError": DOWN,
    "ReadTimeoutError": SLOW,
    "ConnectionError": DOWN,
    "HTTPClientError": DOWN,
    "ResponseStreamingError": DOWN,
    "IncompleteReadError": DOWN,
    "NoCredentialsError": MISCONFIGURED,
    "PartialCredentialsError": MISCONFIGURED,
    "CredentialRetrievalError": MISCONFIGURED,
    "TokenRetrievalError": MISCONFIGURED,
    "NoAuthTokenError": MISCONFIGURED,
    "UnauthorizedSSOTokenError": MISCONFIGURED,
    "SSOTokenLoadError": MISCONFIGURED,
    "NoRegionError": MISCONFIGURED,
    "InvalidRegionError": MISCONFIGURED,
    "ParamValidationError": MISCONFIGURED,
}


class EndpointError(SentimentError):
    """The endpoint gave no usable answer. `cause` names the error for the log; it is not shown to callers."""

    def __init__(self, fault: Fault, cause: str) -> None:
        super().__init__(fault.detail)
        self.fault = fault
        self.type = fault.type
        self.title = fault.title
        self.status = fault.status
        self.retry_after_seconds = fault.retry_after_seconds
        self.cause = cause


def fault_for_code(code: str, http_status: int) -> Fault:
    """Find the fault for an AWS error code; an unlisted one is judged by its HTTP status (5xx: the service failed)."""
    return FAULTS.get(code) or (FAILED if http_status >= 500 else UNKNOWN)


def fault_for_class(error_class: type[BaseException]) -> Fault:
    """Find the fault for a botocore error that never reached the service, by its nearest ancestor in the table."""
    return next((FAULTS[kind.__name__] for kind in error_class.__mro__ if kind.__name__ in FAULTS), UNKNOWN)
