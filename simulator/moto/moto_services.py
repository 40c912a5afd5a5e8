"""S3, IAM, DynamoDB, Lambda, CloudWatch and all other AWS services that moto simulates, in this process.

They need neither Docker nor the network. moto's state belongs to the process, so simulators in one process share it.
"""

import io
import json
import threading
from dataclasses import dataclass
from http import HTTPStatus

from flask import Flask
from moto.awslambda.exceptions import UnknownFunctionException
from moto.backends import SERVICE_NAMES, get_backend
from moto.core.utils import iso_8601_datetime_with_nanoseconds
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import run_wsgi_app

from simulator.endpoint.runtime import ACCOUNT, REGION
from simulator.http.messages import HttpRequest, HttpResponse
from simulator.moto import bucket_policies, metric_statistics, scalable_targets, swagger

_SET_BY_THE_SERVER = ("date", "server", "connection", "transfer-encoding")


@dataclass(frozen=True)
class Function:
    """A Lambda function: its package (a zip), and the configuration of its processes."""

    name: str
    code: bytes
    handler: str
    memory_mb: int
    environment: tuple[tuple[str, str], ...]


class MotoServices:
    """The services, as a site; requests reach moto's server application without a second socket."""

    _lock = threading.Lock()
    _users = 0  # of the process's state

    def __init__(self) -> None:
        """Reset the process's state, unless it is in use."""
        metric_statistics.install()
        scalable_targets.install()
        self._application = DomainDispatcherApplication(_backend_application)
        with MotoServices._lock:
            MotoServices._users += 1
            if MotoServices._users == 1:
                moto_api_backend.reset()

    def stop(self) -> None:
        """Release the process's state."""
        with MotoServices._lock:
            MotoServices._users -= 1

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        body = _body_for_moto(request)
        environ = {key: value for key, value in request.environ.items() if key not in _LEFT_OUT}
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        written, status, headers = run_wsgi_app(self._application, environ, buffered=True)
        kept = {name: value for name, value in headers.items() if name.lower() not in _SET_BY_THE_SERVER}
        response = HttpResponse(int(status.split()[0]), b"".join(written), kept)
        if response.status == HTTPStatus.OK:
            _update_last_modified(request)
        return bucket_policies.restore(response) if bucket_policies.concerns_policy(request) else response

    def function(self, region: str, name: str) -> Function | None:
        """Return a Lambda function in its current version; None if it does not exist."""
        try:
            found = get_backend("lambda")[ACCOUNT][region].get_function(name)
        except UnknownFunctionException:
            return None
        environment = tuple(sorted(found.environment_vars.items()))
        return Function(found.function_name, found.code_bytes, found.handler or "", found.memory_size, environment)


_LEFT_OUT = ("werkzeug.request", "wsgi.input_terminated", "HTTP_TRANSFER_ENCODING")


def _backend_application(service: SERVICE_NAMES) -> Flask:
    """Create moto's application of a service; its bugs become responses with status 500."""
    application: Flask = create_backend_app(service)
    application.debug = False
    return application


def _update_last_modified(request: HttpRequest) -> None:
    """Update LastModified of a Lambda function after each change, as AWS does and moto does not."""
    match [request.method, *request.segments]:
        case ["PUT", _, "functions", name, "code" | "configuration"]:
            function = get_backend("lambda")[ACCOUNT][request.scope[0] or REGION].get_function(name)
            function.last_modified = iso_8601_datetime_with_nanoseconds()


def _body_for_moto(request: HttpRequest) -> bytes:
    """Return the body; converts API definitions and bucket policies."""
    if request.method == "PUT" and bucket_policies.concerns_policy(request):
        return bucket_policies.disable_https_only(request.body)
    match [request.method, *request.segments]:
        case ["POST", "restapis"] if request.args.get("mode") == "import":
            return json.dumps(swagger.for_moto(swagger.parse(request.body))).encode()
        case ["PUT", "restapis", _]:
            return json.dumps(swagger.for_moto(swagger.parse(request.body))).encode()
    return request.body
