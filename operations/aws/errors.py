"""Error messages for AWS errors: one sentence with a remedy for each error code, and for botocore's exceptions.

Every command runs inside `translate_errors()`. The option `-v` also shows the service's original message.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from chalicelib.errors import SentimentError

_ACTION = re.compile(r"not authorized to perform: ([\w-]+:\w+)")
_RESOURCE = re.compile(r"on resource: (\S+)")
_QUOTA = re.compile(r"service limit '(?P<quota>[^']+)'(?: is (?P<limit>[\d,.]*\d))?")
_USED = re.compile(r"utilization of (?P<used>[\d,.]*\d).*?delta of (?P<more>[\d,.]*\d)")
_MEMORY = "Memory size in MB per serverless endpoint"  # a quota
_HEADS = {"HeadBucket": "s3:ListBucket", "HeadObject": "s3:GetObject"}  # responses without a body -> permission


class AwsError(SentimentError):
    """A refused or failed AWS request: `kind` is a stable slug, `aws_message` the original message."""

    type = "aws-refused"
    title = "AWS refused"

    def __init__(self, detail: str, kind: str = "refused", aws_message: str = "") -> None:
        super().__init__(detail)
        self.kind = kind
        self.aws_message = aws_message


@contextmanager
def translate_errors() -> Iterator[None]:
    """Convert every boto3 error in the block to an `AwsError`."""
    try:
        yield
    except ClientError as error:
        raise translate_client_error(error) from error
    except BotoCoreError as error:
        raise translate_botocore_error(error) from error
    except ResponseParserError as error:  # for example, the HTML page of a proxy
        raise AwsError(_NOT_AWS, "not-reached", str(error)) from error
    except ValueError as error:  # boto3 has no class for it
        if not str(error).startswith("Invalid endpoint: "):
            raise
        url = str(error).removeprefix("Invalid endpoint: ")
        raise AwsError(
            f"AWS_ENDPOINT_URL is {url!r}, which is not a URL. It must begin with http:// or https://.", "endpoint-url"
        ) from error
    except S3UploadFailedError as error:  # boto3 wraps the service's error
        cause = error.__context__
        translated = translate_client_error(cause) if isinstance(cause, ClientError) else None
        raise translated or AwsError(f"The upload failed: {error}", "refused", str(error)) from error


def refuse_html(response_dict: Mapping[str, Any], **_event: Any) -> None:
    """Raise `AwsError` if a response is a web page, such as a network's login page with status 200.

    boto3 reads such a page as an empty JSON response: nothing would seem to exist. Registered for its event
    `before-parse`.
    """
    body = response_dict.get("body")
    if isinstance(body, bytes) and body[:100].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise AwsError(_NOT_AWS, "not-reached", body[:200].decode(errors="replace"))


def code_of(error: ClientError) -> str:
    """Return the service's error code: `ValidationException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """Return the service's error message."""
    return str(error.response.get("Error", {}).get("Message", ""))


def is_absent(error: ClientError) -> bool:
    """Return whether an error means that a resource does not exist, for which services have many codes."""
    refused = code_of(error) in ("ValidationException", "ValidationError")
    return code_of(error) in _ABSENT or (
        refused and re.search(r"not find|not found|does not exist", message_of(error)) is not None
    )


def if_there(call: Callable[..., Any], **request: Any) -> dict[str, Any] | None:
    """Call an operation; returns None if the resource does not exist."""
    try:
        response: dict[str, Any] = call(**request)
    except ClientError as error:
        if is_absent(error):
            return None
        raise
    return response


def is_taken(error: ClientError) -> bool:
    """Return whether an error means that a name is in use."""
    return code_of(error) in _TAKEN or re.search(r"already exist", message_of(error)) is not None


def is_denied(error: ClientError) -> bool:
    """Return whether an error means that a permission is missing."""
    code = code_of(error)
    return code.startswith("AccessDenied") or code in ("UnauthorizedOperation", "403")


def translate_client_error(error: ClientError) -> AwsError:
    """Translate a service's error response."""
    code, message, operation = code_of(error), message_of(error), error.operation_name
    aws_message = f"{operation}: {code}: {message}"
    if is_denied(error):
        return AwsError(_no_permission(operation, message), "no-permission", aws_message)
    if code in ("ResourceLimitExceeded", "LimitExceededException", "LimitExceeded"):
        return AwsError(_over_quota(message), "quota", aws_message)
    if code in _CLOCK_CODES or _CLOCK.search(message):
        return AwsError(_WRONG_CLOCK, "clock", aws_message)
    if operation in _HEADS and code == "400":
        return AwsError(_WITHOUT_REASON.format(operation=operation), "expired", aws_message)
    if code in _CODES:
        kind, sentence = _CODES[code]
        return AwsError(sentence, kind, aws_message)
    if is_taken(error):
        return AwsError(f"The name is taken: {message}", "name-taken", aws_message)
    if is_absent(error):
        return AwsError(f"It does not exist: {message}", "absent", aws_message)
    return AwsError(f"AWS refused {operation}: {_short(message) or code}", "refused", aws_message)


def _short(message: str) -> str:
    """Shorten a long message, and drop an HTML page."""
    if "<html" in message.lower():
        return ""
    return message if len(message) <= LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]} ... (all of it with -v)"


def translate_botocore_error(error: BotoCoreError) -> AwsError:
    """Translate an exception raised before a response, by the nearest ancestor of its class in the table."""
    for kind in type(error).__mro__:
        if kind.__name__ in _CLASSES:
            slug, sentence = _CLASSES[kind.__name__]
            return AwsError(sentence.format(error=error), slug, f"{type(error).__name__}: {error}")
    return AwsError(f"The request to AWS failed: {error}", "request-failed", f"{type(error).__name__}: {error}")


def _no_permission(operation: str, message: str) -> str:
    """Return a message that names the missing permission."""
    action, resource = _ACTION.search(message), _RESOURCE.search(message)
    wanted = action[1] if action else _HEADS.get(operation, operation)
    on = f" on {resource[1]}" if resource and resource[1] != "*" else ""
    return f"These credentials do not allow {wanted}{on}. See docs/how-to/deploy.md for the policies to attach."


def _over_quota(message: str) -> str:
    """Return a message that names the exceeded quota and a sufficient value."""
    found = _QUOTA.search(message)
    if not found:
        return f"The account has reached a limit: {message}"
    quota, limit = found["quota"], _number(found["limit"] or "0")
    if quota == _MEMORY:
        less = limit // 1024 * 1024 or 1024  # sizes are multiples of 1024
        return f"The endpoint's memory exceeds the quota {quota!r}. Choose less: --memory {less}"
    used = _USED.search(message)
    enough = max(limit + 1, _number(used["used"]) + _number(used["more"]) if used else 0)
    return f"The quota {quota!r} is too small. Request an increase: verdict quotas --request '{quota}={enough}'"


def _number(text: str) -> int:
    """Parse an integer: `1,024`, `4.0`."""
    return int(float(text.replace(",", "")))


LONGEST_MESSAGE = 400  # characters; some messages list all instance types
RESUMABLE_KINDS = (
    "expired",
    "throttled",
    "unavailable",
    "not-reached",
)  # kinds after which the same command can resume
_LOG_IN = "Log in again (`aws sso login`), or get new credentials. Then repeat the command to resume."
_NOT_AWS = (
    "The response is a web page, not from AWS. Log in to this network if it has a login page, check for a proxy, and "
    "repeat the command."
)
_CLOCK = re.compile(r"Signature (expired|not yet current)")
_CLOCK_CODES = ("RequestTimeTooSkewed", "RequestInTheFuture")
_WRONG_CLOCK = (
    "AWS refuses the signature because this machine's clock is wrong. Set the clock, and repeat the command. The "
    "credentials may be right."
)
_WITHOUT_REASON = (
    "S3 refused {operation} without a reason. The login may have expired, or the bucket may be in another region. "
    "Log in again (`aws sso login`), or set AWS_DEFAULT_REGION to the bucket's, and repeat the command."
)
_ABSENT = frozenset(
    ("ResourceNotFound", "ResourceNotFoundException", "NotFoundException", "ObjectNotFoundException", "404")
).union(("NoSuchEntity", "NoSuchBucket", "NoSuchKey"))
_TAKEN = frozenset(
    ("ResourceInUse", "ResourceAlreadyExistsException", "ConflictException", "EntityAlreadyExists")
).union(("BucketAlreadyExists", "BucketAlreadyOwnedByYou"))
_CODES = {
    "ExpiredToken": ("expired", f"The credentials have expired. {_LOG_IN}"),
    "ExpiredTokenException": ("expired", f"The credentials have expired. {_LOG_IN}"),
    "RequestExpired": ("expired", f"The credentials have expired, or this machine's clock is wrong. {_LOG_IN}"),
    "InvalidClientTokenId": ("credentials", "AWS does not recognize these credentials. Check AWS_PROFILE, or log in."),
    "UnrecognizedClientException": (
        "credentials",
        "AWS does not recognize these credentials. Check AWS_PROFILE, or log in.",
    ),
    "InvalidAccessKeyId": ("credentials", "AWS does not recognize these credentials. Check AWS_PROFILE, or log in."),
    "SignatureDoesNotMatch": ("credentials", "The secret key does not match the access key. Set both again."),
    "InvalidSignatureException": ("credentials", "The secret key does not match the access key. Set both again."),
    "OptInRequired": ("region", "This account has not enabled this region. Enable it, or set AWS_DEFAULT_REGION."),
    "ThrottlingException": ("throttled", "AWS is throttling requests. Wait a minute and repeat the command."),
    "Throttling": ("throttled", "AWS is throttling requests. Wait a minute and repeat the command."),
    "TooManyRequestsException": ("throttled", "AWS is throttling requests. Wait a minute and repeat the command."),
    "ServiceUnavailable": ("unavailable", "AWS is temporarily unavailable. Wait a minute and repeat the command."),
    "InternalFailure": ("unavailable", "AWS is temporarily unavailable. Wait a minute and repeat the command."),
    "IllegalLocationConstraintException": ("region", "The bucket is in another region. Set AWS_DEFAULT_REGION to its."),
    "301": ("region", "The bucket is in another region. Set AWS_DEFAULT_REGION to its."),
    "PermanentRedirect": ("region", "The bucket is in another region. Set AWS_DEFAULT_REGION to its."),
    "AuthorizationHeaderMalformed": ("region", "The bucket is in another region. Set AWS_DEFAULT_REGION to its."),
}
_CLASSES = {
    "NoCredentialsError": (
        "no-credentials",
        "There are no AWS credentials. Run `aws configure` or `aws sso login`, or set AWS_PROFILE.",
    ),
    "PartialCredentialsError": ("no-credentials", "The AWS credentials are incomplete: {error}."),
    "CredentialRetrievalError": ("no-credentials", "The AWS credentials cannot be read: {error}."),
    "SSOTokenLoadError": ("expired", f"The login has expired. {_LOG_IN}"),
    "UnauthorizedSSOTokenError": ("expired", f"The login has expired. {_LOG_IN}"),
    "TokenRetrievalError": ("expired", f"The login has expired. {_LOG_IN}"),
    "ProfileNotFound": ("no-credentials", "{error}. Check AWS_PROFILE."),
    "NoRegionError": ("no-region", "No region is set. Set AWS_DEFAULT_REGION, or run `aws configure`."),
    "UnknownRegionError": ("region", "There is no such region: {error} Check AWS_DEFAULT_REGION."),
    "InvalidRegionError": ("region", "{error}. Check AWS_DEFAULT_REGION."),
    "EndpointConnectionError": (
        "not-reached",
        "{error}. Check the network, and that AWS_DEFAULT_REGION names a region that exists.",
    ),
    "ConnectionError": ("not-reached", "AWS cannot be reached: {error}. Check the network and repeat the command."),
    "HTTPClientError": ("not-reached", "AWS cannot be reached: {error}. Check the network and repeat the command."),
}
