"""What AWS refuses, in one line that says what to do: the table of its error codes, and of botocore's own errors.

Every command runs inside `translate_errors()`, so that a person sees a sentence, and the service's own words with `-v`.
"""

import re
from collections.abc import Callable, Iterator
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
_HEADS = {"HeadBucket": "s3:ListBucket", "HeadObject": "s3:GetObject"}  # answers without a body -> what allows them


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
    """Turn every error of boto3 in the block into an `AwsError`."""
    try:
        yield
    except ClientError as error:
        raise translate_client_error(error) from error
    except BotoCoreError as error:
        raise translate_botocore_error(error) from error
    except ResponseParserError as error:  # HTML, say, of a proxy's own
        raise AwsError("What answered is not AWS. Is a proxy in between?", "not-reached", str(error)) from error
    except S3UploadFailedError as error:  # boto3 hides what the service said behind an error of its own
        refused = error.__context__
        aws_message = translate_client_error(refused) if isinstance(refused, ClientError) else None
        raise aws_message or AwsError(f"The upload failed: {error}", "refused", str(error)) from error


def code_of(error: ClientError) -> str:
    """Return the service's error code: `ValidationException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """Return what the service said."""
    return str(error.response.get("Error", {}).get("Message", ""))


def is_absent(error: ClientError) -> bool:
    """Tell whether an error says that what was asked about is not there: services say it in many ways."""
    refused = code_of(error) in ("ValidationException", "ValidationError")
    return code_of(error) in _ABSENT or (
        refused and re.search(r"not find|not found|does not exist", message_of(error)) is not None
    )


def if_there(ask: Callable[..., Any], **request: Any) -> dict[str, Any] | None:
    """Ask about one thing; None when it is not there."""
    try:
        answer: dict[str, Any] = ask(**request)
    except ClientError as error:
        if is_absent(error):
            return None
        raise
    return answer


def is_taken(error: ClientError) -> bool:
    """Tell whether an error says that a name is in use already."""
    return code_of(error) in _TAKEN or re.search(r"already exist", message_of(error)) is not None


def translate_client_error(error: ClientError) -> AwsError:
    """Explain an error that the service answered."""
    code, message, operation = code_of(error), message_of(error), error.operation_name
    aws_message = f"{operation}: {code}: {message}"
    if code.startswith("AccessDenied") or code in ("UnauthorizedOperation", "403"):
        return AwsError(_no_permission(operation, message), "no-permission", aws_message)
    if code in ("ResourceLimitExceeded", "LimitExceededException", "LimitExceeded"):
        return AwsError(_over_quota(message), "quota", aws_message)
    if operation in _HEADS and code == "400":
        return AwsError(_NO_WORD.format(operation=operation), "expired", aws_message)
    if code in _CODES:
        kind, sentence = _CODES[code]
        return AwsError(sentence, kind, aws_message)
    if is_taken(error):
        return AwsError(f"The name is taken: {message}", "name-taken", aws_message)
    if is_absent(error):
        return AwsError(f"It is not there: {message}", "absent", aws_message)
    return AwsError(f"AWS refused {operation}: {_short(message) or code}", "refused", aws_message)


def _short(message: str) -> str:
    """Cut a message that lists everything there is, and leave out a page that a proxy or a fault put in its place."""
    if "<html" in message.lower():
        return ""
    return message if len(message) <= LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]} ... (all of it with -v)"


def translate_botocore_error(error: BotoCoreError) -> AwsError:
    """Explain an error that never reached a service, by the nearest ancestor of its class that is in the table."""
    for kind in type(error).__mro__:
        if kind.__name__ in _CLASSES:
            slug, sentence = _CLASSES[kind.__name__]
            return AwsError(sentence.format(error=error), slug, f"{type(error).__name__}: {error}")
    return AwsError(f"AWS could not be asked: {error}", "not-asked", f"{type(error).__name__}: {error}")


def _no_permission(operation: str, message: str) -> str:
    """Name the permission that is missing."""
    action, resource = _ACTION.search(message), _RESOURCE.search(message)
    wanted = action[1] if action else _HEADS.get(operation, operation)
    on = f" on {resource[1]}" if resource and resource[1] != "*" else ""
    return f"These credentials may not {wanted}{on}. See docs/how-to/deploy.md for the policies to attach."


def _over_quota(message: str) -> str:
    """Name the quota that is too small, and how much would be enough."""
    found = _QUOTA.search(message)
    if not found:
        return f"A limit of the account is reached: {message}"
    quota, limit = found["quota"], _number(found["limit"] or "0")
    if quota == _MEMORY:
        less = limit // 1024 * 1024 or 1024  # sizes go by 1024
        return f"The endpoint's memory is more than the account may have ({quota!r}). Choose less: --memory {less}"
    used = _USED.search(message)
    enough = max(limit + 1, _number(used["used"]) + _number(used["more"]) if used else 0)
    return f"The quota {quota!r} is too small. Ask for more: verdict quotas --request '{quota}={enough}'"


def _number(written: str) -> int:
    """Read a whole number: `1,024`, `4.0`."""
    return int(float(written.replace(",", "")))


LONGEST_MESSAGE = 400  # characters of what a service said; one lists all instance types there are
RESUMABLE_KINDS = ("expired", "throttled", "unavailable", "not-reached")  # kinds after which the same command goes on
_LOG_IN = "Log in again (`aws sso login`), or fetch new ones, and repeat the command: it goes on where it was."
_NO_WORD = (
    "S3 refused {operation} without a word, as it does when a login has expired, or the bucket is in another region. "
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
    "InvalidClientTokenId": ("credentials", "AWS does not know these credentials. Check AWS_PROFILE, or log in."),
    "UnrecognizedClientException": (
        "credentials",
        "AWS does not know these credentials. Check AWS_PROFILE, or log in.",
    ),
    "InvalidAccessKeyId": ("credentials", "AWS does not know these credentials. Check AWS_PROFILE, or log in."),
    "SignatureDoesNotMatch": ("credentials", "The secret key is wrong for its access key. Set both anew."),
    "OptInRequired": ("region", "This account has not enabled this region. Enable it, or set AWS_DEFAULT_REGION."),
    "ThrottlingException": ("throttled", "AWS asks to slow down. Wait a minute and repeat the command."),
    "Throttling": ("throttled", "AWS asks to slow down. Wait a minute and repeat the command."),
    "TooManyRequestsException": ("throttled", "AWS asks to slow down. Wait a minute and repeat the command."),
    "ServiceUnavailable": ("unavailable", "AWS has trouble right now. Wait a minute and repeat the command."),
    "InternalFailure": ("unavailable", "AWS has trouble right now. Wait a minute and repeat the command."),
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
    "InvalidRegionError": ("region", "{error}. Check AWS_DEFAULT_REGION."),
    "EndpointConnectionError": (
        "not-reached",
        "{error}. Check the network, and that AWS_DEFAULT_REGION names a region that exists.",
    ),
    "ConnectionError": ("not-reached", "AWS cannot be reached: {error}. Check the network and repeat the command."),
    "HTTPClientError": ("not-reached", "AWS cannot be reached: {error}. Check the network and repeat the command."),
}
