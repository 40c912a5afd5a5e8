"""Endpoints with their variants and prices, endpoint configurations, and models."""

from collections.abc import Iterator

from operations.aws.names import RELEASE_TAG, STAGE_TAG
from operations.aws.prices import PriceList
from operations.endpoint import endpoint_state
from operations.endpoint.endpoint_state import DeployedEndpoint
from operations.inventory.costs import total_price
from operations.inventory.resources import Kind, Resource
from operations.inventory.search import Search, expiry

_WITHOUT_INSTANCES = ("Failed", "Deleting")


def endpoints(search: Search) -> Iterator[Resource]:
    """Yield the endpoints, except those that are deleted during the search."""
    for found in search.pages("sagemaker", "list_endpoints", "Endpoints", NameContains=search.prefix):
        name = found["EndpointName"]
        tags = search.tags(Kind.ENDPOINT, name, found["EndpointArn"])
        endpoint = endpoint_state.read(search.account, name, tags) if tags else None
        if endpoint:
            yield _resource(endpoint, search.account.prices)


def _resource(endpoint: DeployedEndpoint, price_list: PriceList) -> Resource:
    """Convert an endpoint; its release is that of its models, as the tag is stale after an interrupted update."""
    billed = [*(() if endpoint.status in _WITHOUT_INSTANCES else endpoint.variants), *endpoint.arriving]
    return Resource(
        kind=Kind.ENDPOINT,
        name=endpoint.name,
        arn=endpoint.arn,
        stage=endpoint.tags.get(STAGE_TAG, ""),
        release=" and ".join(endpoint.served_releases) or endpoint.tags.get(RELEASE_TAG, ""),
        state=endpoint.status,
        created=endpoint.created,
        expires=expiry(endpoint.tags),
        price=total_price(variant.price(price_list) for variant in billed),
        variants=endpoint.variants,
        facts={"configuration": endpoint.configuration, "why": endpoint.failure},
        tags=endpoint.tags,
    )


def configurations(search: Search) -> Iterator[Resource]:
    """Yield the endpoint configurations."""
    yield from _free(search, Kind.CONFIGURATION, "EndpointConfig", "list_endpoint_configs")


def models(search: Search) -> Iterator[Resource]:
    """Yield the models."""
    yield from _free(search, Kind.MODEL, "Model", "list_models")


def _free(search: Search, kind: Kind, member: str, operation: str) -> Iterator[Resource]:
    """Yield resources that cost nothing."""
    for found in search.pages("sagemaker", operation, f"{member}s", NameContains=search.prefix):
        name, arn = found[f"{member}Name"], found[f"{member}Arn"]
        tags = search.tags(kind, name, arn)
        if tags:
            stage, release = tags.get(STAGE_TAG, ""), tags.get(RELEASE_TAG, "")
            yield Resource(kind, name, arn, stage, release, created=found["CreationTime"], tags=tags)
