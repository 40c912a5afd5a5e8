"""Which part of the simulated AWS answers a request: by its path, its `X-Amz-Target` and its signature's scope."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from simulator import principals
from simulator.apps.functions import Functions
from simulator.apps.gateway import SITE_PATH, Gateway
from simulator.fault_injection import FaultInjector
from simulator.moto_services import MotoServices
from simulator.quotas import TARGET as QUOTAS_TARGET
from simulator.quotas import Quotas
from simulator.refusals import operation_of, refused
from simulator.runtime import ACCOUNT, REGION, error_answer
from simulator.sagemaker import service
from simulator.sagemaker.backend import Backend
from simulator.sagemaker.service import Operation
from simulator.state import StatePages
from simulator.wire import Answer, Request

_EXECUTE_API = re.compile(r"([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com(:\d+)?")


@dataclass(frozen=True)
class Region:
    """What exists in a region beside moto's services."""

    world: Backend
    quotas: Quotas


@dataclass(frozen=True)
class Routing:
    """The site that all requests come to. `region` makes regions on demand."""

    region: Callable[[str], Region]
    operations: dict[str, Operation]
    services: MotoServices
    gateway: Gateway
    functions: Functions
    fault_injector: FaultInjector
    state: StatePages

    def answer(self, request: Request) -> Answer:
        """Answer one request; raises `ConnectionCutError`."""
        self.state.count()
        by_host = _EXECUTE_API.fullmatch(request.headers.get("host", ""))
        if by_host:
            return self.gateway.answer(request, by_host[1], request.path.lstrip("/"), "")
        match [request.method, *request.segments]:
            case [_, "_simulator", *_]:
                return self.state.answer(request)
            case [_, "_site", api, *_]:
                mounted = f"{SITE_PATH}/{api}"
                return self.gateway.answer(request, api, request.path.removeprefix(mounted).lstrip("/"), mounted)
            case ["POST", "endpoints", name, "invocations"] if request.scope[1] != "s3":
                return self._invocation(request, name)
        return self._by_target(request)

    def _invocation(self, request: Request, name: str) -> Answer:
        """Answer InvokeEndpoint: an endpoint that is absent or not in service is a ValidationError."""
        world = self._region_of(request).world
        endpoint = world.endpoints.get(name)
        if endpoint:
            return endpoint.invoke(name, request.headers, request.body)
        known = world.resources.get(("endpoint", name))
        message = f"Endpoint {name} of account {ACCOUNT} not found."
        if known:
            message = f"The endpoint is not in service: its status is {known.facts['EndpointStatus']}."
        return error_answer("ValidationError", 400, message, service.request_id())

    def _by_target(self, request: Request) -> Answer:
        """Answer a request of the control planes."""
        target, operation = request.action
        region = self._region_of(request)
        if target == "SageMaker":
            return service.answer(region.world, self.operations, operation, request.body)
        refusal = self._refusal(request)
        if refusal:
            return refusal
        if target == QUOTAS_TARGET:
            with region.world.lock:
                return region.quotas.answer(operation, request.body)
        if request.scope[1] == "iam" and operation_of(request) == principals.OPERATION:
            return principals.simulated(request, self.fault_injector)
        return self._from_moto(request)

    def _from_moto(self, request: Request) -> Answer:
        """Let moto answer, and let those know of it who run what is deployed."""
        answer = self.services.answer(request)
        region, service_name = request.scope
        if service_name == "apigateway":
            self.gateway.learn(request, answer)
        match [service_name, request.method, *request.segments]:
            case ["lambda", "DELETE", _, "functions", name] if answer.status < 300:
                self.functions.forget(region, name.rpartition(":")[2])
        return answer

    def _refusal(self, request: Request) -> Answer | None:
        """Return the refusal that was ordered for a request, if one was."""
        if not self.fault_injector.ordered:
            return None
        refusal = self.fault_injector.refusal(operation_of(request), request.scope[1])
        return refused(request, refusal) if refusal else None

    def _region_of(self, request: Request) -> Region:
        return self.region(request.scope[0] or REGION)
