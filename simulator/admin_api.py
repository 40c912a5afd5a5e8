"""The simulator's own HTTP API, below `/_simulator`: its state, and fault injection.

    GET         /_simulator                          number of requests, faults, endpoints, deployed apps
    PUT         /_simulator/faults?operation=CreateEndpoint&fault=stuck&times=1
    GET, DELETE /_simulator/faults                   list, remove all
    PUT         /_simulator/endpoints/<name>/faults?fault=throttled&times=2
    DELETE      /_simulator/endpoints/<name>/faults

Without `times` a fault stays until DELETE.
"""

import threading
from collections.abc import Callable

from chalicelib.errors import SentimentError
from simulator.apps.gateway import Gateway
from simulator.endpoint.endpoint_site import change_fault, unknown_operation
from simulator.faults.operation_faults import FaultInjector
from simulator.http.messages import HttpRequest, HttpResponse, json_response
from simulator.sagemaker.backend import Backend


class AdminApi:
    """The API; `backends` returns those of all regions, `url` the address of the simulator."""

    def __init__(
        self,
        backends: Callable[[], list[Backend]],
        fault_injector: FaultInjector,
        gateway: Gateway,
        url: Callable[[], str],
    ) -> None:
        self._backends = backends
        self._fault_injector = fault_injector
        self._gateway = gateway
        self._url = url
        self._lock = threading.Lock()
        self._requests = 0

    def count(self) -> None:
        """Count a request to the simulator."""
        with self._lock:
            self._requests += 1

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        match [request.method, *request.segments[1:]]:
            case ["GET"]:
                return json_response(self._state())
            case [_, "faults"]:
                return self._operation_faults(request)
            case [_, "endpoints", name, "faults"]:
                return self._endpoint_fault(request, name)
        return unknown_operation(request)

    def _state(self) -> dict[str, object]:
        endpoints = {
            backend.region: {
                name: {"requests": endpoint.faults.requests, "fault": endpoint.faults.active.kind}
                for name, endpoint in list(backend.endpoints.items())
            }
            for backend in self._backends()
        }
        return {
            "requests": self._requests,
            "faults": self._fault_injector.active,
            "endpoints": endpoints,
            "sites": {api: f"{self._url()}{path}" for api, path in self._gateway.sites.items()},
        }

    def _operation_faults(self, request: HttpRequest) -> HttpResponse:
        """Inject a fault into an operation, list the faults, or remove them."""
        operation, times = request.args.get("operation", ""), request.args.get("times", "0")
        if request.method == "DELETE":
            self._fault_injector.clear()
        elif request.method == "PUT":
            if not operation or not times.isdecimal():
                return json_response({"error": "Give an operation, and times as a number of requests."}, 400)
            try:
                self._fault_injector.inject(operation, request.args.get("fault", ""), int(times) or None)
            except SentimentError as error:
                return json_response({"error": error.detail}, 400)
        elif request.method != "GET":
            return unknown_operation(request)
        return json_response({"faults": self._fault_injector.active})

    def _endpoint_fault(self, request: HttpRequest, name: str) -> HttpResponse:
        """Inject a fault into an endpoint of any region, or remove it."""
        for backend in self._backends():
            if name in backend.endpoints:
                return change_fault(backend.endpoints[name].faults, request)
        return json_response({"error": f"No endpoint {name} is in service."}, 404)
