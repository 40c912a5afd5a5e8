"""Endpoint API operations. The work that they start in the background is in `endpoint_lifecycle`."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from simulator.sagemaker.backend import Backend, InvalidRequestError, SimulatedResource
from simulator.sagemaker.hosting import autoscaling, endpoint_configs, endpoint_lifecycle, traffic_shifting
from simulator.sagemaker.hosting.endpoint_configs import ENDPOINT_CONFIG
from simulator.sagemaker.hosting.endpoint_lifecycle import ENDPOINT, EndpointFleets, deployment_of
from simulator.sagemaker.hosting.fleets import CONCURRENCY_QUOTA, Fleet, VariantState, create_fleet, instance_quota
from simulator.sagemaker.hosting.models import MODEL, container_of
from simulator.sagemaker.resource_operations import resource_operations
from simulator.sagemaker.service import Operation


def create_endpoint(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Start to create an endpoint; raises `ServiceError` if its configuration, a model or a quota is missing."""
    fleet = _create_fleet(backend, request["EndpointConfigName"])
    traffic_shifting.steps(request.get("DeploymentConfig", {}), fleet.instances, fleet.is_serverless)
    if not backend.get(ENDPOINT, request["EndpointName"]):
        backend.require_quota(fleet.quota_usage, _quota_usage(backend))
    stored = {member: value for member, value in request.items() if member != "DeploymentConfig"}
    endpoint = backend.create(ENDPOINT, stored, status="Creating")
    endpoint.private |= {"deployment": EndpointFleets(backend, endpoint.name, fleet), "next_config": fleet.config}
    fault = backend.fault_injector.take_background_fault("CreateEndpoint")
    _start(backend, endpoint, lambda: endpoint_lifecycle.deploy(backend, endpoint, (), {}, fault))
    return {"EndpointArn": endpoint.arn}


def _describe(_: Backend, endpoint: SimulatedResource) -> dict[str, Any]:
    """Describe an endpoint with its variants and its pending fleet."""
    deployment = deployment_of(endpoint)
    facts = dict(endpoint.facts)
    if deployment.current:
        facts["ProductionVariants"] = deployment.current.describe()
    if deployment.pending:
        facts["PendingDeploymentSummary"] = deployment.pending.describe_pending()
    return facts


def update_endpoint(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Start to replace an endpoint's fleet with that of another configuration."""
    endpoint = _find_updatable(backend, request["EndpointName"])
    deployment = deployment_of(endpoint)
    new = _create_fleet(backend, request["EndpointConfigName"])
    backend.find(ENDPOINT_CONFIG, endpoint.facts["EndpointConfigName"])  # AWS reads the old configuration too
    old = deployment.serving
    if new.is_serverless and not old.is_serverless:
        raise InvalidRequestError(f'Cannot update endpoint "{endpoint.arn}" from instances to a serverless variant.')
    autoscaling.require_unscaled(backend, endpoint.name, old, new)
    if request.get("RetainAllVariantProperties"):
        excluded = request.get("ExcludeRetainedVariantProperties", [])
        new.retain(old, {item["VariantPropertyType"] for item in excluded})
    retained = endpoint.facts.get("LastDeploymentConfig", {}) if request.get("RetainDeploymentConfig") else {}
    config = request.get("DeploymentConfig", retained)
    traffic_shifting.require_same_variants(config, old.names, new.names)
    steps = traffic_shifting.steps(config, new.instances, new.is_serverless)
    backend.require_quota(new.quota_usage, _quota_usage(backend))
    backend.set_status(endpoint, "Updating")
    endpoint.private["next_config"] = new.config
    deployment.pending = new
    fault = backend.fault_injector.take_background_fault("UpdateEndpoint")
    _start(backend, endpoint, lambda: endpoint_lifecycle.deploy(backend, endpoint, steps, config, fault))
    return {"EndpointArn": endpoint.arn}


def update_weights(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Start to change the weights and instance counts of an endpoint's variants."""
    endpoint = _find_updatable(backend, request["EndpointName"])
    fleet = deployment_of(endpoint).serving
    changes = [
        (_find_variant(fleet, change["VariantName"]), change) for change in request["DesiredWeightsAndCapacities"]
    ]
    for variant, change in changes:
        _check_change(backend, variant, change)
    for variant, change in changes:
        variant.desired_weight = change.get("DesiredWeight", variant.desired_weight)
        variant.desired_instances = change.get("DesiredInstanceCount", variant.desired_instances)
        variant.serverless = variant.serverless | change.get("ServerlessUpdateConfig", {})
    backend.set_status(endpoint, "Updating", endpoint.facts.get("FailureReason", ""))
    _start(backend, endpoint, lambda: endpoint_lifecycle.apply_weights(backend, endpoint))
    return {"EndpointArn": endpoint.arn}


def delete_endpoint(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Start to delete a stable endpoint; it stops answering at once."""
    endpoint = backend.find(ENDPOINT, request["EndpointName"])
    if endpoint.status not in ("InService", "Failed"):
        raise _in_progress(endpoint)
    backend.set_status(endpoint, "Deleting", endpoint.facts.get("FailureReason", ""))
    backend.endpoints.pop(endpoint.name, None)
    _start(backend, endpoint, lambda: endpoint_lifecycle.delete(backend, endpoint))
    return {}


def _start(backend: Backend, endpoint: SimulatedResource, work: Callable[[], None]) -> None:
    """Run a part of an endpoint's lifecycle in the background."""
    backend.run_in_background(work, lambda reason: endpoint_lifecycle.fail(backend, endpoint, reason))


def _create_fleet(backend: Backend, config_name: str) -> Fleet:
    """Create a configuration's fleet; raises `ServiceError` if it or one of its models does not exist."""
    config = backend.find(ENDPOINT_CONFIG, config_name)

    def image_of(model: str) -> str:
        return str(container_of(backend.find(MODEL, model))["Image"])

    return create_fleet(config.name, config.facts["ProductionVariants"], image_of, backend.now())


def _quota_usage(backend: Backend) -> Counter[str]:
    """Return the amount of each quota that all fleets use, including pending ones."""
    usage: Counter[str] = Counter()
    for endpoint in backend.all_of(ENDPOINT):
        deployment = deployment_of(endpoint)
        for fleet in (deployment.current, deployment.pending) if endpoint.status != "Failed" else ():
            usage.update(fleet.quota_usage if fleet else {})
    return usage


def _find_updatable(backend: Backend, name: str) -> SimulatedResource:
    """Return an endpoint that is in service; raises `ServiceError` for other states."""
    endpoint = backend.find(ENDPOINT, name)
    if endpoint.status == "Failed":
        raise InvalidRequestError(f'Cannot update failed endpoint "{endpoint.arn}". Delete it.')
    if endpoint.status != "InService":
        raise _in_progress(endpoint)
    return endpoint


def _in_progress(endpoint: SimulatedResource) -> InvalidRequestError:
    return InvalidRequestError(f'Cannot update in-progress endpoint "{endpoint.arn}".')


def _find_variant(fleet: Fleet, name: str) -> VariantState:
    variant = fleet.find(name)
    if not variant:
        raise InvalidRequestError(f'The variant name(s) "{name}" is/are not present within endpoint.')
    return variant


def _check_change(backend: Backend, variant: VariantState, change: dict[str, Any]) -> None:
    """Raise `ServiceError` if a variant does not support a change or a quota is exceeded."""
    count, serverless = change.get("DesiredInstanceCount"), change.get("ServerlessUpdateConfig")
    if serverless is not None and not variant.serverless:
        raise InvalidRequestError(f"Variant {variant.name} is not serverless.")
    if count is not None and (variant.serverless or count < 1):
        raise InvalidRequestError(f"Variant {variant.name} cannot have {count} instances.")
    increases = {}
    if count is not None:
        increases[instance_quota(variant.instance_type)] = count - variant.instances
    if serverless is not None:
        increases[CONCURRENCY_QUOTA] = serverless.get("MaxConcurrency", 0) - variant.concurrency
    backend.require_quota(increases, _quota_usage(backend))


OPERATIONS: dict[str, Operation] = {
    **endpoint_configs.OPERATIONS,
    **resource_operations(ENDPOINT, _describe),
    "CreateEndpoint": create_endpoint,
    "UpdateEndpoint": update_endpoint,
    "UpdateEndpointWeightsAndCapacities": update_weights,
    "DeleteEndpoint": delete_endpoint,
}
