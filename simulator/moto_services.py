"""S3, IAM, Lambda, CloudWatch and all else of AWS that this project does not simulate itself: moto, in this process.

Nothing here needs Docker or the network. moto keeps its state in the process, so all that run in one process share it.
"""

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
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

from simulator import bucket_policies
from simulator.apps import swagger
from simulator.runtime import ACCOUNT, REGION
from simulator.wire import Answer, Request

_WRITTEN_BY_THE_LISTENER = ("date", "server", "connection", "transfer-encoding")


@dataclass(frozen=True)
class Function:
    """A Lambda function as it stands: its package (a zip), and what its process is started with."""

    name: str
    code: bytes
    handler: str
    memory_mb: int
    environment: tuple[tuple[str, str], ...]


class MotoServices:
    """A site that hands requests to moto's server application, without a socket in between."""

    _lock = threading.Lock()
    _in_use = 0  # how many use the process's state now

    def __init__(self) -> None:
        """Begin with nothing, unless the process's state is in use already."""
        self._application = DomainDispatcherApplication(_backend_application)
        with MotoServices._lock:
            MotoServices._in_use += 1
            if MotoServices._in_use == 1:
                moto_api_backend.reset()

    def stop(self) -> None:
        """Let go of the state."""
        with MotoServices._lock:
            MotoServices._in_use -= 1

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        path, _, query = request.target.partition("?")
        headers = {name: value for name, value in request.headers.items() if name != "transfer-encoding"}
        body = _body_for_moto(request)
        headers["content-length"] = str(len(body))
        builder = EnvironBuilder(
            path=path,
            query_string=query,
            base_url=f"http://{headers.pop('host', 'localhost')}",
            method=request.method,
            headers=Headers(headers),
            data=body,
        )
        written, status, answered = run_wsgi_app(self._application, builder.get_environ(), buffered=True)
        kept = {name: value for name, value in answered.items() if name.lower() not in _WRITTEN_BY_THE_LISTENER}
        answer = Answer(int(status.split()[0]), b"".join(written), kept)
        if answer.status == HTTPStatus.OK:
            _note_change(request)
        return bucket_policies.given_back(answer) if bucket_policies.is_policy(request) else answer

    def function(self, region: str, name: str) -> Function | None:
        """Return a Lambda function as it stands now; None where there is none."""
        try:
            found = get_backend("lambda")[ACCOUNT][region].get_function(name)
        except UnknownFunctionException:
            return None
        environment = tuple(sorted(found.environment_vars.items()))
        return Function(found.function_name, found.code_bytes, found.handler or "", found.memory_size, environment)


def _backend_application(service: SERVICE_NAMES) -> Flask:
    """Make moto's application of a service: a bug in it becomes an answer with status 500."""
    application: Flask = create_backend_app(service)
    application.debug = False
    return application


def _note_change(request: Request) -> None:
    """Set the time of a Lambda function's last change, as AWS does at every one and moto never."""
    match [request.method, *request.segments]:
        case ["PUT", _, "functions", name, "code" | "configuration"]:
            function = get_backend("lambda")[ACCOUNT][request.scope[0] or REGION].get_function(name)
            function.last_modified = iso_8601_datetime_with_nanoseconds()


def _body_for_moto(request: Request) -> bytes:
    """Return the body, that of an API's definition rewritten (see `swagger`), and a bucket's policy."""
    if request.method == "PUT" and bucket_policies.is_policy(request):
        return bucket_policies.for_moto(request.body)
    match [request.method, *request.segments]:
        case ["POST", "restapis"] if request.query.get("mode") == "import":
            return json.dumps(swagger.for_moto(swagger.read(request.body))).encode()
        case ["PUT", "restapis", _]:
            return json.dumps(swagger.for_moto(swagger.read(request.body))).encode()
    return request.body
