"""AWS's Price List API, as far as it has SageMaker's prices. The prices are pretended: see `prices.json`."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from simulator.http.messages import HttpResponse
from simulator.sagemaker.service import error_answer, json_1_1

TARGET = "AWSPriceListService"
SERVICE = "AmazonSageMaker"
_COMPONENTS = {"Host": "Hosting", "Train": "Training", "Tsform": "Batch Transform"}  # usage type -> component


def handle(operation: str, body: bytes) -> HttpResponse:
    """Answer a request: GetProducts, with filters that must all match."""
    request = json.loads(body or b"{}")
    if operation != "GetProducts":
        return error_answer("UnknownOperationException", f"The simulator does not support {operation}.")
    if request.get("ServiceCode") != SERVICE:
        return error_answer("NotFoundException", f"The simulator only has prices of {SERVICE}.")
    wanted = {item["Field"]: item["Value"] for item in request.get("Filters", ())}
    found = [product for product in products() if wanted.items() <= _attributes(product).items()]
    return json_1_1(200, {"FormatVersion": "aws_v1", "PriceList": [json.dumps(product) for product in found]})


@cache
def products() -> list[dict[str, Any]]:
    """Return all products of `prices.json`, in the form of AWS's offer files."""
    table = json.loads(Path(__file__).with_name("prices.json").read_text(encoding="utf-8"))
    instances = [
        _product(table, "ML Instance", f"{usage}:{name}", "Hrs", usd, instanceName=name, component=_COMPONENTS[usage])
        for usage in _COMPONENTS
        for name, usd in table[usage].items()
    ]
    serverless = [
        _product(table, "ML Serverless", f"ServerlessInf:Mem-{memory}GB", "seconds", usd)
        for memory, usd in table["ServerlessInf"].items()
    ]
    return instances + serverless


def _product(
    table: dict[str, Any], family: str, usage: str, unit: str, usd: float, **attributes: str
) -> dict[str, Any]:
    """Return a product with its on-demand price."""
    price = {"unit": unit, "description": table["note"], "pricePerUnit": {"USD": f"{usd:.10f}"}}
    return {
        "product": {
            "productFamily": family,
            "attributes": {"regionCode": table["region"], "usagetype": f"USE1-{usage}", **attributes},
        },
        "serviceCode": SERVICE,
        "terms": {"OnDemand": {usage: {"priceDimensions": {usage: price}}}},
        "publicationDate": table["date"],
    }


def _attributes(product: dict[str, Any]) -> dict[str, str]:
    """Return the attributes that a filter can name."""
    return {**product["product"]["attributes"], "productFamily": product["product"]["productFamily"]}
