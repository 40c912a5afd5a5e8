"""The faults of the endpoint: a table from AWS error codes and botocore error classes to problem documents.

Source: the errors of `sagemaker-runtime` in botocore's service model, and the AWS documentation of InvokeEndpoint.
"""

from typing import NamedTuple

from chalicelib.errors import SentimentError


class Fault(NamedTuple):
    """A problem type with its status and texts, and when to try again (seconds; None: unknown).

    `retried`: whether `endpoint` tries again itself, with boto3's own retries off.
    """

    type: str
    status: int
    title: str
    detail: str
    retry_after_seconds: int | None = None
    retried: bool = False


STARTING = Fault(
    "endpoint-starting",
    503,
    "The model is starting",
    "The model is being loaded. Try again in a few seconds.",
    retry_after_seconds=10,
)
BUSY = Fault(
    "endpoint-busy",
    503,
    "The model is busy",
    "The model is judging too many reviews right now. Try again in a few seconds.",
    retry_after_seconds=2,
    retried=True,
)
DOWN = Fault(
    "endpoint-down",
    503,
    "The model is unavailable",
    "Try again in a few seconds.",
    retry_after_seconds=5,
    retried=True,
)
FAILED = Fault(
    "endpoint-failed",
    502,
    "The model's service failed",
    "The service that runs the model reported a failure. Try again in a few seconds.",
    retry_after_seconds=5,
    retried=True,
)
MODEL_FAILED = Fault(
    "model-failed",
    502,
    "The model could not judge this",
    "The model rejected this request, or failed on it.",
)
ABSENT = Fault(
    "endpoint-absent",
    503,
    "There is no model yet",
    "The model is not deployed, or not ready yet. Try again in a minute.",
    retry_after_seconds=60,
)
SLOW = Fault(
    "endpoint-slow",
    504,
    "The model took too long",
    "The model did not respond in time. Try again in a few seconds.",
    retry_after_seconds=5,
)
MISCONFIGURED = Fault(
    "misconfigured",
    500,
    "This site isn't configured correctly",
    "The site isn't allowed to call its model.",
)
BAD_ANSWER = Fault(
    "bad-answer",
    502,
    "The model's response is invalid",
    "The model did not return a probability for each review. Try again in a few seconds.",
    retry_after_seconds=5,
)
UNKNOWN = Fault(
    "endpoint-fault",
    502,
    "The model cannot be called",
    "An unexpected error occurred when the model was called.",
)

FAULTS: dict[str, Fault] = {
    # AWS error codes
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
    # classes of errors, most of them base classes of botocore
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
    "BotoCoreError": UNKNOWN,
    "Exception": BAD_ANSWER,  # botocore's parsers raise errors of any class for a malformed response
}
_FAULTS_BY_STATUS = {429: BUSY, 503: DOWN}  # of responses without a known code


class EndpointError(SentimentError):
    """A call of the endpoint failed. `cause` names the error in the request log; callers do not see it."""

    def __init__(self, fault: Fault, cause: str) -> None:
        super().__init__(fault.detail)
        self.fault = fault
        self.type = fault.type
        self.title = fault.title
        self.status = fault.status
        self.retry_after_seconds = fault.retry_after_seconds
        self.cause = cause


def fault_for_code(code: str, http_status: int) -> Fault:
    """Return the fault of an AWS error code, by its HTTP status if the code is not in the table."""
    return FAULTS.get(code) or _FAULTS_BY_STATUS.get(http_status) or (FAILED if http_status >= 500 else UNKNOWN)


def fault_for_class(error_class: type[BaseException]) -> Fault:
    """Return the fault of a botocore error class, by its nearest base class in the table."""
    return next((FAULTS[kind.__name__] for kind in error_class.__mro__ if kind.__name__ in FAULTS), UNKNOWN)
