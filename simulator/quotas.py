"""Service Quotas: SageMaker's quotas in a region, and requests to increase them.

An increase is granted after `pending_seconds`; AWS takes hours or days. Every instance type of the service model has a
quota; the values are round numbers, because AWS sets them for each account.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import botocore.session

from simulator.endpoint.runtime import ACCOUNT
from simulator.http.messages import HttpResponse
from simulator.sagemaker.backend import ServiceError
from simulator.sagemaker.jobs.tuning_plan import PARALLEL_TUNING_JOBS_QUOTA, TUNING_JOBS_QUOTA
from simulator.sagemaker.service import error_answer, json_1_1

TARGET = "ServiceQuotasV20190624"
SERVICE = "sagemaker"
SERVICE_NAME = "Amazon SageMaker"
PAGE = 100  # the default of MaxResults
_INSTANCE_SHAPES = {  # a use in quota names -> the shape of the service model that lists the instance types for it
    "endpoint usage": "ProductionVariantInstanceType",
    "training job usage": "TrainingInstanceType",
    "spot training job usage": "TrainingInstanceType",
    "transform job usage": "TransformInstanceType",
}
_SMALL = re.compile(r"ml\.[cmrt]\d\w*\.(medium|large|xlarge)")
_SMALL_INSTANCES = 4.0  # of each small type; larger ones and GPUs are granted on request
_OTHERS = {
    "Maximum total concurrency that can be allocated across all serverless endpoints": 10.0,
    "Maximum number of serverless endpoints": 50.0,
    TUNING_JOBS_QUOTA: 750.0,
    PARALLEL_TUNING_JOBS_QUOTA: 100.0,
}


@cache
def defaults() -> dict[str, float]:
    """Return the value of every quota by its name."""
    model = botocore.session.get_session().get_service_model(SERVICE)
    instances = {
        f"{kind} for {use}": _SMALL_INSTANCES if _SMALL.fullmatch(kind) else 0.0
        for use, shape in _INSTANCE_SHAPES.items()
        for kind in model.shape_for(shape).enum
    }
    return instances | _OTHERS


def code_of(name: str) -> str:
    """Return a quota's code: `L-` and eight hexadecimal digits, as on AWS."""
    return f"L-{hashlib.sha256(name.encode()).hexdigest()[:8].upper()}"


@cache
def _names() -> dict[str, str]:
    """Return the name of every quota by its code."""
    return {code_of(name): name for name in defaults()}


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Quotas:
    """The quotas of a region; the caller must hold the lock of the region's backend."""

    region: str
    pending_seconds: float
    now: Callable[[], datetime] = _now
    changes: list[dict[str, Any]] = field(default_factory=list)  # oldest first

    def limit(self, name: str) -> float:
        """Return a quota's value; 0 for instance types that AWS grants only on request."""
        self._grant()
        granted = [change for change in self.changes if change["QuotaName"] == name and change["Status"] == "APPROVED"]
        return float(granted[-1]["DesiredValue"]) if granted else defaults().get(name, 0.0)

    def handle(self, operation: str, body: bytes) -> HttpResponse:
        """Answer a request."""
        try:
            if operation not in OPERATIONS:
                raise ServiceError("UnknownOperationException", f"The simulator does not know {operation}.")
            request = _read(body)
            if request.get("ServiceCode", SERVICE) != SERVICE:
                raise ServiceError("NoSuchResourceException", f"The simulator only has quotas of {SERVICE}.")
            return json_1_1(200, OPERATIONS[operation](self, request))
        except ServiceError as error:
            return error_answer(error.code, error.message, error.status)

    def list_services(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListServices."""
        return _page([{"ServiceCode": SERVICE, "ServiceName": SERVICE_NAME}], "Services", request)

    def get(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetServiceQuota."""
        name = _name(request)
        return {"Quota": self._described(name, self.limit(name))}

    def get_default(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetAWSDefaultServiceQuota."""
        name = _name(request)
        return {"Quota": self._described(name, defaults()[name])}

    def list_all(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListServiceQuotas."""
        return _page([self._described(name, self.limit(name)) for name in defaults()], "Quotas", request)

    def list_defaults(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListAWSDefaultServiceQuotas."""
        return _page([self._described(name, value) for name, value in defaults().items()], "Quotas", request)

    def request_increase(self, request: dict[str, Any]) -> dict[str, Any]:
        """RequestServiceQuotaIncrease: one pending request per quota, and only upwards."""
        name, desired = _name(request), float(request["DesiredValue"])
        if desired <= self.limit(name):
            raise ServiceError(
                "IllegalArgumentException", "You must provide a quota value greater than the current quota value."
            )
        if any(change["QuotaName"] == name and change["Status"] == "PENDING" for change in self.changes):
            raise ServiceError(
                "ResourceAlreadyExistsException", "Only one open service quota increase request is allowed per quota."
            )
        described = self._described(name, desired)
        quota = {key: described[key] for key in ("ServiceCode", "ServiceName", "QuotaCode", "QuotaName", "QuotaArn")}
        change = quota | {
            "Id": uuid.uuid4().hex,
            "DesiredValue": desired,
            "Status": "PENDING",
            "Created": self.now(),
            "LastUpdated": self.now(),
            "Requester": json.dumps({"accountId": ACCOUNT}),
            "GlobalQuota": False,
            "Unit": "None",
        }
        self.changes.append(change)
        return {"RequestedQuota": change}

    def list_changes(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListRequestedServiceQuotaChangeHistory, for all quotas or for one; newest first."""
        self._grant()
        wanted = {key: request[key] for key in ("QuotaCode", "Status") if key in request}
        found = [change for change in reversed(self.changes) if wanted.items() <= change.items()]
        return _page(found, "RequestedQuotas", request)

    def _grant(self) -> None:
        """Grant the increases that have been pending long enough."""
        for change in self.changes:
            granted = change["Created"] + timedelta(seconds=self.pending_seconds)
            if change["Status"] == "PENDING" and granted <= self.now():
                change.update(Status="APPROVED", LastUpdated=granted)

    def _described(self, name: str, value: float) -> dict[str, Any]:
        """Return a quota in the shape of the service."""
        code = code_of(name)
        return {
            "ServiceCode": SERVICE,
            "ServiceName": SERVICE_NAME,
            "QuotaArn": f"arn:aws:servicequotas:{self.region}:{ACCOUNT}:{SERVICE}/{code}",
            "QuotaCode": code,
            "QuotaName": name,
            "Value": value,
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }


OPERATIONS: dict[str, Callable[[Quotas, dict[str, Any]], dict[str, Any]]] = {
    "ListServices": Quotas.list_services,
    "GetServiceQuota": Quotas.get,
    "GetAWSDefaultServiceQuota": Quotas.get_default,
    "ListServiceQuotas": Quotas.list_all,
    "ListAWSDefaultServiceQuotas": Quotas.list_defaults,
    "RequestServiceQuotaIncrease": Quotas.request_increase,
    "ListRequestedServiceQuotaChangeHistory": Quotas.list_changes,
    "ListRequestedServiceQuotaChangeHistoryByQuota": Quotas.list_changes,
}


def _read(body: bytes) -> dict[str, Any]:
    """Parse a request; raises `ServiceError`."""
    try:
        request: dict[str, Any] = json.loads(body or b"{}")
    except ValueError as error:
        raise ServiceError("SerializationException", f"The body is not JSON: {error}") from error
    return request


def _name(request: dict[str, Any]) -> str:
    """Return the name of a request's quota; raises `ServiceError` for an unknown code."""
    code = request.get("QuotaCode", "")
    if code not in _names():
        raise ServiceError("NoSuchResourceException", f"The request failed because the quota {code} does not exist.")
    return _names()[code]


def _page(items: list[dict[str, Any]], member: str, request: dict[str, Any]) -> dict[str, Any]:
    """Return a page of a list, with a token unless it is the last."""
    token = request.get("NextToken", "0")
    if not token.isdecimal():
        raise ServiceError("InvalidPaginationTokenException", "Invalid token was used.")
    end = int(token) + int(request.get("MaxResults", PAGE))
    return {member: items[int(token) : end]} | ({"NextToken": str(end)} if end < len(items) else {})
