"""On-demand prices by the hour from AWS's Price List API. A price that it does not have is unknown, never guessed."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

PAGE = "https://aws.amazon.com/sagemaker/pricing/"
SOURCE = f"On-demand prices before tax, from AWS's Price List API; see also {PAGE}"
SERVICE_CODE = "AmazonSageMaker"
_TYPES = {
    "hosting": "t2.medium t2.large t2.xlarge m5.large m5.xlarge m5.2xlarge m5.4xlarge "
    "c5.large c5.xlarge c5.2xlarge c5.4xlarge",
    "training": "m5.large m5.xlarge m5.2xlarge m5.4xlarge c5.xlarge c5.2xlarge c5.4xlarge",
    "transform": "m5.large m5.xlarge m5.2xlarge m5.4xlarge c5.xlarge c5.2xlarge c5.4xlarge",
}
INSTANCE_TYPES = {purpose: [f"ml.{name}" for name in names.split()] for purpose, names in _TYPES.items()}  # suggested
_USAGE = {"hosting": "Host", "training": "Train", "transform": "Tsform"}  # purpose -> usage type, as bills name it


@dataclass(frozen=True)
class Price:
    """US dollars an hour, None if unknown; `note` has further information."""

    usd_per_hour: float | None
    note: str = ""

    def __str__(self) -> str:
        """`$0.115 an hour`, `nothing while idle, ...`, or `price unknown, ...`."""
        if self.usd_per_hour is None:
            return f"price unknown{f', {self.note}' if self.note else ''}"
        if not self.usd_per_hour:
            return self.note or "nothing"
        return f"${self.usd_per_hour:.3f} an hour{f', {self.note}' if self.note else ''}"


class PriceList:
    """SageMaker's prices in a region; every price is requested once.

    `client` creates the boto3 client of `pricing`, which exists in few regions and answers for all.
    """

    def __init__(self, client: Callable[[], Any], region: str) -> None:
        self._client = client
        self._region = region
        self._products = cache(self._read_products)

    def instance(self, purpose: str, instance_type: str, count: int = 1) -> Price:
        """Return the price of `count` instances for a purpose: `hosting`, `training` or `transform`."""
        usage = re.compile(rf"(^|-){_USAGE[purpose]}:{re.escape(instance_type)}$")
        usd = self._price("instanceName", instance_type, usage)
        return Price(None, f"see {PAGE}") if usd is None else Price(usd * count)

    def serverless(self, memory_mb: int) -> Price:
        """Return the price of a serverless endpoint: nothing while idle, and by processing time."""
        usd = self.serverless_usd_per_second(memory_mb)
        by_time = f"see {PAGE} for processing time" if usd is None else f"${usd * 3600:.3f} an hour of processing"
        return Price(0.0, f"nothing while idle, {by_time}")

    def serverless_usd_per_second(self, memory_mb: int) -> float | None:
        """Return the price of a second of processing with this memory, None if unknown."""
        return self._price("productFamily", "ML Serverless", re.compile(rf"ServerlessInf:Mem-{memory_mb // 1024}GB$"))

    def _price(self, field: str, value: str, usage: re.Pattern[str]) -> float | None:
        """Return the price per unit of the only product with this usage type, None if there is none, or several."""
        found = {
            usd
            for product in self._products(field, value)
            if usage.search(product["product"]["attributes"].get("usagetype", ""))
            for usd in _usd_per_unit(product)
        }
        return found.pop() if len(found) == 1 else None

    def _read_products(self, field: str, value: str) -> list[dict[str, Any]]:
        """Return the products of the region with this attribute, [] if the API does not answer."""
        filters = [
            {"Type": "TERM_MATCH", "Field": name, "Value": text}
            for name, text in ((field, value), ("regionCode", self._region))
        ]
        try:
            pages = self._client().get_paginator("get_products").paginate(ServiceCode=SERVICE_CODE, Filters=filters)
            return [json.loads(text) for page in pages for text in page["PriceList"]]
        except (ClientError, BotoCoreError):
            return []  # the price is then unknown


def _usd_per_unit(product: Mapping[str, Any]) -> Iterator[float]:
    """Yield a product's on-demand prices per unit."""
    for term in product["terms"].get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            yield float(dimension["pricePerUnit"]["USD"])
