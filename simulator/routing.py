"""Routing of requests to the services of the simulated AWS: by path, `X-Amz-Target`, and the signature's scope."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from simulator import pricing
from simulator.admin_api import AdminApi
from simulator.apps.functions import Functions
from simulator.apps.gateway import SITE_PATH, Gateway
from simulator.endpoint.runtime import ACCOUNT, REGION, error_response
from simulator.faults.operation_faults import FaultInjector
from simulator.http.messages import HttpRequest, HttpResponse
from simulator.moto import error_responses, principals
from simulator.moto.moto_services import MotoServices
from simulator.quotas import TARGET as QUOTAS_TARGET
from simulator.quotas import Quotas
from simulator.sagemaker import service
from simulator.sagemaker.backend import Backend
from simulator.sagemaker.service import Operation

_EXECUTE_API = re.compile(r"([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com(:\d+)?")


@dataclass(frozen=True)
class Region:
    """The state of a region, without moto's services."""

    backend: Backend
    quotas: Quotas


@dataclass(frozen=True)
class Routing:
    """The site of the whole simulator. `region` creates regions on demand."""

    region: Callable[[str], Region]
    operations: dict[str, Operation]
    services: MotoServices
    gateway: Gateway
    functions: Functions
    fault_injector: FaultInjector
    admin_api: AdminApi

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer a request; raises `ConnectionCutError`."""
        self.admin_api.count()
        api_host = _EXECUTE_API.fullmatch(request.headers.get("Host", ""))
        if api_host:
            return self.gateway.handle(request, api_host[1], request.encoded_path.lstrip("/"), "")
        match [request.method, *request.segments]:
            case [_, "_simulator", *_]:
                return self.admin_api.handle(request)
            case [_, "_site", api, *_]:
                base_path = f"{SITE_PATH}/{api}"
                path = request.encoded_path.removeprefix(base_path).lstrip("/")
                return self.gateway.handle(request, api, path, base_path)
            case ["POST", "endpoints", name, "invocations"] if request.scope[1] != "s3":
                return self._invoke_endpoint(request, name)
        return self._control_plane(request)

    def _invoke_endpoint(self, request: HttpRequest, name: str) -> HttpResponse:
        """Answer InvokeEndpoint: a ValidationError unless the endpoint is in service."""
        backend = self._region_of(request).backend
        endpoint = backend.endpoints.get(name)
        if endpoint:
            return endpoint.invoke(name, request.headers, request.body)
        resource = backend.resources.get(("endpoint", name))
        message = f"Endpoint {name} of account {ACCOUNT} not found."
        if resource:
            message = f"The endpoint is not in service: its status is {resource.facts['EndpointStatus']}."
        return error_response("ValidationError", 400, message, service.request_id())

    def _control_plane(self, request: HttpRequest) -> HttpResponse:
        """Answer a request to any other service."""
        target, operation = request.action
        region = self._region_of(request)
        if target == "SageMaker":
            return service.answer(region.backend, self.operations, operation, request.body)
        error = self._injected_error(request)
        if error:
            return error
        if target == pricing.TARGET:
            return pricing.handle(operation, request.body)
        if target == QUOTAS_TARGET:
            with region.backend.lock:
                return region.quotas.handle(operation, request.body)
        if request.scope[1] == "iam" and error_responses.operation_of(request) == principals.OPERATION:
            return principals.simulate_principal_policy(request, self.fault_injector)
        return self._moto(request)

    def _moto(self, request: HttpRequest) -> HttpResponse:
        """Pass a request to moto, and changes of deployed apps to what runs them."""
        response = self.services.handle(request)
        region, service_name = request.scope
        if service_name == "apigateway":
            self.gateway.update(request, response)
        match [service_name, request.method, *request.segments]:
            case ["lambda", "DELETE", _, "functions", name] if response.status < 300:
                self.functions.remove(region, name.rpartition(":")[2])
        return response

    def _injected_error(self, request: HttpRequest) -> HttpResponse | None:
        """Return the error that is injected into a request's operation."""
        if not self.fault_injector.active:
            return None
        error = self.fault_injector.take_error(error_responses.operation_of(request), request.scope[1])
        return error_responses.error_response(request, error) if error else None

    def _region_of(self, request: HttpRequest) -> Region:
        return self.region(request.scope[0] or REGION)
