"""Endpoints: what may be asked of them, and what is told of them. What then becomes of them is in `endpoint_life`."""

from collections.abc import Callable, Iterator
from typing import Any

from simulator.sagemaker.backend import Backend, Resource, ServiceError
from simulator.sagemaker.hosting import autoscaling, capacity, endpoint_configs, endpoint_life, models, shifting
from simulator.sagemaker.hosting.endpoint_life import KIND, Hosting, hosting
from simulator.sagemaker.hosting.fleets import Fleet, Serving, fleet_of, retain
from simulator.sagemaker.listing import page
from simulator.sagemaker.service import Operation


def create_endpoint(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Begin an endpoint; raises `ServiceError` when its configuration, a model or a quota is not there."""
    fleet = _fleet(world, request["EndpointConfigName"])
    shifting.steps(request.get("DeploymentConfig", {}), fleet.instances, fleet.is_serverless)
    if (KIND, request["EndpointName"]) not in world.resources:
        capacity.require(world, capacity.needs(fleet), capacity.in_use(_fleets(world)))
    facts = {
        "EndpointName": request["EndpointName"],
        "EndpointConfigName": request["EndpointConfigName"],
        "EndpointStatus": "Creating",
        "CreationTime": world.now(),
        "LastModifiedTime": world.now(),
    }
    endpoint = world.add(KIND, request["EndpointName"], facts, request.get("Tags"))
    facts["EndpointArn"] = endpoint.arn
    endpoint.private |= {"hosting": Hosting(world, endpoint.name, fleet), "next_config": fleet.config}
    mishap = world.fault_injector.background("CreateEndpoint")
    _begin(world, endpoint, lambda: endpoint_life.create(world, endpoint, mishap))
    return {"EndpointArn": endpoint.arn}


def describe_endpoint(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Tell about an endpoint: its variants once they serve, and the fleet that is on its way."""
    endpoint = world.find(KIND, request["EndpointName"])
    state = hosting(endpoint)
    told = dict(endpoint.facts)
    if state.current:
        told["ProductionVariants"] = state.current.described()
    if state.pending:
        told["PendingDeploymentSummary"] = state.pending.described_as_pending()
    return told


def list_endpoints(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """List endpoints."""
    return page(world.all_of(KIND), request, "Endpoints", _summary, "EndpointStatus")


def update_endpoint(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Begin to replace an endpoint's fleet by that of another configuration."""
    endpoint = _at_rest(world, request["EndpointName"])
    state = hosting(endpoint)
    new = _fleet(world, request["EndpointConfigName"])
    endpoint_configs.find_config(world, endpoint.facts["EndpointConfigName"])  # AWS reads the old one too
    old = state.serving
    if new.is_serverless and not old.is_serverless:
        raise ServiceError(
            "ValidationException", f'Cannot update endpoint "{endpoint.arn}" from instances to a serverless variant.'
        )
    autoscaling.require_free(world, endpoint.name, old, new)
    if request.get("RetainAllVariantProperties"):
        excluded = request.get("ExcludeRetainedVariantProperties", [])
        retain(new, old, {one["VariantPropertyType"] for one in excluded})
    deployment = _deployment(endpoint, request)
    shifting.require_same_variants(deployment, old.names, new.names)
    steps = shifting.steps(deployment, new.instances, new.is_serverless)
    capacity.require(world, capacity.needs(new), capacity.in_use(_fleets(world)))
    endpoint.facts.pop("FailureReason", None)
    endpoint.facts |= {"EndpointStatus": "Updating", "LastModifiedTime": world.now()}
    endpoint.private["next_config"] = new.config
    state.pending = new
    mishap = world.fault_injector.background("UpdateEndpoint")
    _begin(world, endpoint, lambda: endpoint_life.update(world, endpoint, steps, deployment, mishap))
    return {"EndpointArn": endpoint.arn}


def update_weights(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Begin to change the weights and instance counts of an endpoint's variants."""
    endpoint = _at_rest(world, request["EndpointName"])
    fleet = hosting(endpoint).serving
    changes = [(_variant(fleet, one["VariantName"]), one) for one in request["DesiredWeightsAndCapacities"]]
    for variant, change in changes:
        _check_change(world, variant, change)
    for variant, change in changes:
        variant.desired_weight = change.get("DesiredWeight", variant.desired_weight)
        variant.desired_instances = change.get("DesiredInstanceCount", variant.desired_instances)
        variant.serverless = variant.serverless | change.get("ServerlessUpdateConfig", {})
    endpoint.facts |= {"EndpointStatus": "Updating", "LastModifiedTime": world.now()}
    _begin(world, endpoint, lambda: endpoint_life.settle(world, endpoint))
    return {"EndpointArn": endpoint.arn}


def delete_endpoint(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Begin to take an endpoint down, whatever it is doing; it answers no more from now on."""
    endpoint = world.find(KIND, request["EndpointName"])
    if endpoint.facts["EndpointStatus"] == "Deleting":
        raise _in_progress(endpoint)
    endpoint.facts |= {"EndpointStatus": "Deleting", "LastModifiedTime": world.now()}
    world.endpoints.pop(endpoint.name, None)
    _begin(world, endpoint, lambda: endpoint_life.delete(world, endpoint))
    return {}


def _begin(world: Backend, endpoint: Resource, work: Callable[[], None]) -> None:
    """Begin what becomes of an endpoint in the background."""
    world.background(work, lambda reason: endpoint_life.fail(world, endpoint, reason))


def _fleet(world: Backend, config_name: str) -> Fleet:
    """Make the fleet of a configuration; raises `ServiceError` when it, or one of its models, is absent."""
    config = endpoint_configs.find_config(world, config_name)

    def image(model: str) -> str:
        return str(world.find(models.KIND, model).facts["PrimaryContainer"]["Image"])

    return fleet_of(config.name, config.facts["ProductionVariants"], image, world.now())


def _fleets(world: Backend) -> Iterator[Fleet]:
    """Yield all fleets that take machines, those that are on their way among them."""
    for endpoint in world.all_of(KIND):
        if endpoint.facts["EndpointStatus"] != "Failed":
            state = hosting(endpoint)
            yield from (fleet for fleet in (state.current, state.pending) if fleet)


def _at_rest(world: Backend, name: str) -> Resource:
    """Return an endpoint that may be changed; raises `ServiceError`."""
    endpoint = world.find(KIND, name)
    status = endpoint.facts["EndpointStatus"]
    if status == "Failed":
        raise ServiceError("ValidationException", f'Cannot update failed endpoint "{endpoint.arn}". Delete it.')
    if status != "InService":
        raise _in_progress(endpoint)
    return endpoint


def _in_progress(endpoint: Resource) -> ServiceError:
    return ServiceError("ValidationException", f'Cannot update in-progress endpoint "{endpoint.arn}".')


def _deployment(endpoint: Resource, request: dict[str, Any]) -> dict[str, Any]:
    """Return how traffic shall shift: as the request says, or as the last time when it retains that."""
    kept = endpoint.facts.get("LastDeploymentConfig", {}) if request.get("RetainDeploymentConfig") else {}
    deployment: dict[str, Any] = request.get("DeploymentConfig", kept)
    return deployment


def _variant(fleet: Fleet, name: str) -> Serving:
    variant = fleet.named(name)
    if not variant:
        raise ServiceError("ValidationException", f'The variant name(s) "{name}" is/are not present within endpoint.')
    return variant


def _check_change(world: Backend, variant: Serving, change: dict[str, Any]) -> None:
    """Raise `ServiceError` for a change that a variant cannot take."""
    count, concurrency = change.get("DesiredInstanceCount"), change.get("ServerlessUpdateConfig")
    if concurrency is not None and not variant.serverless:
        raise ServiceError("ValidationException", f"Variant {variant.name} is not serverless.")
    if count is not None and (variant.serverless or count < 1):
        raise ServiceError("ValidationException", f"Variant {variant.name} cannot have {count} instances.")
    wanted = {}
    if count is not None:
        wanted[capacity.of_instances(variant.instance_type)] = count - variant.instances
    if concurrency is not None:
        wanted[capacity.CONCURRENCY] = concurrency.get("MaxConcurrency", 0) - variant.concurrency
    capacity.require(world, wanted, capacity.in_use(_fleets(world)))


def _summary(endpoint: Resource) -> dict[str, Any]:
    members = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
    return {name: endpoint.facts[name] for name in members}


OPERATIONS: dict[str, Operation] = {
    **endpoint_configs.OPERATIONS,
    "CreateEndpoint": create_endpoint,
    "DescribeEndpoint": describe_endpoint,
    "ListEndpoints": list_endpoints,
    "UpdateEndpoint": update_endpoint,
    "UpdateEndpointWeightsAndCapacities": update_weights,
    "DeleteEndpoint": delete_endpoint,
}
