"""One endpoint as a site: InvokeEndpoint, and this program's own control path.

`POST /endpoints/<name>/invocations` is InvokeEndpoint (see `runtime`). `/_simulator` belongs to this program: GET tells
its state, `PUT /_simulator/misbehave?as=throttled&times=2` makes it misbehave (see `faults`), DELETE of the same path
ends that.
"""

import uuid

from chalicelib.errors import SentimentError
from simulator.endpoint_faults import Misbehaviour, Orders
from simulator.runtime import RuntimeEndpoint, error_answer
from simulator.wire import Answer, Request, json_answer

STATE_PATH = "/_simulator"
MISBEHAVE_PATH = f"{STATE_PATH}/misbehave"


class EndpointSite:
    """Answers for one endpoint."""

    def __init__(self, endpoint: RuntimeEndpoint) -> None:
        self.endpoint = endpoint

    def answer(self, request: Request) -> Answer:
        """Answer one request; raises `ConnectionCutError`."""
        orders = self.endpoint.orders
        match [request.method, *request.segments]:
            case ["POST", "endpoints", name, "invocations"]:
                return self.endpoint.invoke(name, request.headers, request.body)
            case ["GET", "_simulator"]:
                return json_answer(
                    {"endpoint": self.endpoint.name, "requests": orders.requests, "as_told": orders.current.kind}
                )
            case [_, "_simulator", "misbehave"]:
                return told(orders, request)
        return unknown(request)


def unknown(request: Request) -> Answer:
    """Refuse what nothing here answers."""
    return error_answer("UnknownOperationException", 404, f"{request.method} {request.target}", str(uuid.uuid4()))


def told(orders: Orders, request: Request) -> Answer:
    """PUT passes on what the query tells: `as` (see `faults`) and, unless it is for good, `times`. DELETE ends it."""
    if request.method == "DELETE":
        orders.behave()
        return json_answer({"as_told": ""})
    if request.method != "PUT":
        return unknown(request)
    times = request.query.get("times", "0")
    if not times.isdecimal():
        return json_answer({"error": f"times={times} is not a number of requests."}, 400)
    try:
        misbehaviour = Misbehaviour.parse(request.query.get("as", ""))
    except SentimentError as error:
        return json_answer({"error": error.detail}, 400)
    orders.misbehave(misbehaviour, int(times) or None)
    return json_answer({"as_told": misbehaviour.kind})
