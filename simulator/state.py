"""`/_simulator`: what the simulated AWS tells of itself, and how it is told to go wrong.

GET `/_simulator` tells its state. `/_simulator/mishaps?operation=CreateEndpoint&as=stuck&times=1` orders a mishap
with PUT (see `fault_injector`), tells them with GET, ends them all with DELETE;
`/_simulator/endpoints/<name>/misbehave` is what `site` has for its only endpoint.
"""

import threading
from collections.abc import Callable

from chalicelib.errors import SentimentError
from simulator.apps.gateway import Gateway
from simulator.fault_injection import FaultInjector
from simulator.sagemaker.backend import Backend
from simulator.site import told, unknown
from simulator.wire import Answer, Request, json_answer


class StatePages:
    """Answers for the simulator itself. `worlds` returns those that are there; `url` is where the port is reached."""

    def __init__(
        self,
        worlds: Callable[[], list[Backend]],
        fault_injector: FaultInjector,
        gateway: Gateway,
        url: Callable[[], str],
    ) -> None:
        self._worlds = worlds
        self._mishaps = fault_injector
        self._gateway = gateway
        self._url = url
        self._lock = threading.Lock()
        self._requests = 0

    def count(self) -> None:
        """Count a request."""
        with self._lock:
            self._requests += 1

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        match [request.method, *request.segments[1:]]:
            case ["GET"]:
                return json_answer(self._state())
            case [_, "mishaps"]:
                return self._mishap(request)
            case [_, "endpoints", name, "misbehave"]:
                return self._misbehave(request, name)
        return unknown(request)

    def _state(self) -> dict[str, object]:
        endpoints = {
            world.region: {
                name: {"requests": endpoint.orders.requests, "as_told": endpoint.orders.current.kind}
                for name, endpoint in list(world.endpoints.items())
            }
            for world in self._worlds()
        }
        sites = {api: f"{self._url()}{path}" for api, path in self._gateway.sites.items()}
        return {"requests": self._requests, "mishaps": self._mishaps.ordered, "endpoints": endpoints, "sites": sites}

    def _mishap(self, request: Request) -> Answer:
        """Order a mishap, tell those that are ordered, or end them."""
        operation, times = request.query.get("operation", ""), request.query.get("times", "0")
        if request.method == "DELETE":
            self._mishaps.clear()
        elif request.method == "PUT":
            if not operation or not times.isdecimal():
                return json_answer({"error": "Name an operation, and give times as a number of requests."}, 400)
            try:
                self._mishaps.order(operation, request.query.get("as", ""), int(times) or None)
            except SentimentError as error:
                return json_answer({"error": error.detail}, 400)
        elif request.method != "GET":
            return unknown(request)
        return json_answer({"mishaps": self._mishaps.ordered})

    def _misbehave(self, request: Request, name: str) -> Answer:
        """Tell an endpoint how to behave, in whichever region it is."""
        for world in self._worlds():
            if name in world.endpoints:
                return told(world.endpoints[name].orders, request)
        return json_answer({"error": f"No endpoint {name} is in service."}, 404)
