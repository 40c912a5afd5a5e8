"""The site of a single endpoint: InvokeEndpoint, and fault injection.

POST   /endpoints/<name>/invocations             InvokeEndpoint (see `runtime`)
GET    /_simulator                               number of requests, and the active fault
PUT    /_simulator/faults?fault=throttled&times=2
DELETE /_simulator/faults
"""

import uuid

from chalicelib.errors import SentimentError
from simulator.endpoint.runtime import RuntimeEndpoint, error_response
from simulator.faults.endpoint_faults import EndpointFault, EndpointFaultInjector
from simulator.http.messages import HttpRequest, HttpResponse, json_response

STATE_PATH = "/_simulator"
FAULTS_PATH = f"{STATE_PATH}/faults"


class EndpointSite:
    """The site."""

    def __init__(self, endpoint: RuntimeEndpoint) -> None:
        self.endpoint = endpoint

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer a request; raises `ConnectionCutError`."""
        faults = self.endpoint.faults
        match [request.method, *request.segments]:
            case ["POST", "endpoints", name, "invocations"]:
                return self.endpoint.invoke(name, request.headers, request.body)
            case ["GET", "_simulator"]:
                return json_response(
                    {"endpoint": self.endpoint.name, "requests": faults.requests, "fault": faults.active.kind}
                )
            case [_, "_simulator", "faults"]:
                return change_fault(faults, request)
        return unknown_operation(request)


def unknown_operation(request: HttpRequest) -> HttpResponse:
    """Reject a request that no operation answers."""
    return error_response("UnknownOperationException", 404, f"{request.method} {request.full_path}", str(uuid.uuid4()))


def change_fault(faults: EndpointFaultInjector, request: HttpRequest) -> HttpResponse:
    """Inject the fault of the query (PUT), or remove it (DELETE)."""
    if request.method == "DELETE":
        faults.clear()
        return json_response({"fault": ""})
    if request.method != "PUT":
        return unknown_operation(request)
    times = request.args.get("times", "0")
    if not times.isdecimal():
        return json_response({"error": f"times={times} is not a number of requests."}, 400)
    try:
        fault = EndpointFault.parse(request.args.get("fault", ""))
    except SentimentError as error:
        return json_response({"error": error.detail}, 400)
    faults.inject(fault, int(times) or None)
    return json_response({"fault": fault.kind})
