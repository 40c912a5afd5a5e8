"""The endpoints that exist, with their variants and prices, and the configurations and models behind them."""

from collections.abc import Iterator, Sequence
from typing import Any

from operations.aws import prices
from operations.aws.errors import if_there
from operations.aws.names import RELEASE_TAG, STAGE_TAG, release_of_model
from operations.aws.plan import NOTHING
from operations.aws.prices import Price
from operations.inventory.resources import CONFIGURATION, ENDPOINT, MODEL, Resource, Variant
from operations.inventory.search import Search, expiry
from operations.inventory.spending import total

_NO_MACHINES = ("Failed", "Deleting")


def endpoints(search: Search) -> Iterator[Resource]:
    """Yield the endpoints; one that vanishes meanwhile is passed over."""
    sagemaker = search.account.client("sagemaker")
    for found in search.pages("sagemaker", "list_endpoints", "Endpoints", NameContains=search.prefix):
        name, arn = found["EndpointName"], found["EndpointArn"]
        tags = search.tags(ENDPOINT, name, arn)
        described = if_there(sagemaker.describe_endpoint, EndpointName=name) if tags else None
        if tags and described:
            yield _endpoint(search, described, tags)


def _endpoint(search: Search, described: dict[str, Any], tags: dict[str, str]) -> Resource:
    name = described.get("EndpointConfigName", "")
    ask = search.account.client("sagemaker").describe_endpoint_config
    configured = (if_there(ask, EndpointConfigName=name) if name else None) or {}
    variants = tuple(_variants(described, configured.get("ProductionVariants", ())))
    state = described["EndpointStatus"]
    region = search.account.region
    machines = [price_of(variant, region) for variant in variants] if state not in _NO_MACHINES else []
    machines += _coming(described, region)
    return Resource(
        kind=ENDPOINT,
        name=described["EndpointName"],
        arn=described["EndpointArn"],
        stage=tags.get(STAGE_TAG, ""),
        release=_served(variants) or tags.get(RELEASE_TAG, ""),
        state=state,
        created=described["CreationTime"],
        expires=expiry(tags),
        price=total(machines),
        variants=variants,
        facts={"configuration": name, "why": described.get("FailureReason", "")},
        tags=tags,
    )


def _served(variants: Sequence[Variant]) -> str:
    """Name the release that the variants' models are of, or the releases: the tag is old after an interrupted update.

    "" when a model's name does not tell.
    """
    releases = [release_of_model(variant.model) for variant in variants]
    return " and ".join(dict.fromkeys(releases)) if all(releases) else ""


def _variants(described: dict[str, Any], configured: Any) -> Iterator[Variant]:
    """Yield the variants: what runs, and what was asked for where nothing runs yet."""
    asked = {variant["VariantName"]: variant for variant in configured}
    for running in described.get("ProductionVariants") or configured:
        wanted = asked.get(running["VariantName"], {})
        serverless = running.get("CurrentServerlessConfig") or wanted.get("ServerlessConfig") or {}
        weight = running.get("CurrentWeight", wanted.get("InitialVariantWeight", 1.0))
        count = running.get("CurrentInstanceCount", wanted.get("InitialInstanceCount", 0))
        yield Variant(
            name=running["VariantName"],
            model=wanted.get("ModelName", ""),
            weight=weight,
            desired_weight=running.get("DesiredWeight", weight),
            instance_type=wanted.get("InstanceType", ""),
            count=count,
            desired_count=running.get("DesiredInstanceCount", count),
            memory_mb=serverless.get("MemorySizeInMB", 0),
            max_concurrency=serverless.get("MaxConcurrency", 0),
        )


def _coming(described: dict[str, Any], region: str) -> list[Price]:
    """Price the machines of an update that is under way: they run beside those that they replace."""
    if not described.get("ProductionVariants"):
        return []  # the first fleet is on its way, and is among the variants
    pending = described.get("PendingDeploymentSummary", {}).get("ProductionVariants", ())
    return [
        prices.instance("hosting", variant["InstanceType"], region, variant["CurrentInstanceCount"])
        for variant in pending
        if variant.get("InstanceType") and variant.get("CurrentInstanceCount")
    ]


def price_of(variant: Variant, region: str) -> Price:
    """Price what runs behind a variant."""
    if variant.memory_mb:
        return prices.serverless(variant.memory_mb, region)
    if not variant.instance_type or not (variant.count or variant.desired_count):
        return NOTHING
    return prices.instance("hosting", variant.instance_type, region, variant.count or variant.desired_count)


def configurations(search: Search) -> Iterator[Resource]:
    """Yield the endpoint configurations."""
    listed = search.pages("sagemaker", "list_endpoint_configs", "EndpointConfigs", NameContains=search.prefix)
    yield from _plain(search, CONFIGURATION, "EndpointConfig", listed)


def models(search: Search) -> Iterator[Resource]:
    """Yield the models."""
    yield from _plain(
        search, MODEL, "Model", search.pages("sagemaker", "list_models", "Models", NameContains=search.prefix)
    )


def _plain(search: Search, kind: str, member: str, listed: Iterator[Any]) -> Iterator[Resource]:
    """Yield what has a name and costs nothing."""
    for found in listed:
        name, arn = found[f"{member}Name"], found[f"{member}Arn"]
        tags = search.tags(kind, name, arn)
        if tags:
            stage, release = tags.get(STAGE_TAG, ""), tags.get(RELEASE_TAG, "")
            yield Resource(kind, name, arn, stage, release, created=found["CreationTime"], tags=tags)
