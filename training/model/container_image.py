"""SageMaker's built-in XGBoost image in each region, pinned to one version: 3.0-5 contains xgboost 3.0.5.

Accounts differ by region. `image_accounts.json` is the table of `image_uri_config/xgboost.json` in the PyPI package
sagemaker-core 2.27.0 (the same for 3.0-5 and 3.2-0).
"""

import json
from functools import cache
from pathlib import Path

import botocore.session

from chalicelib.errors import SentimentError

REPOSITORY = "sagemaker-xgboost"
TAG = "3.0-5"


class ImageError(SentimentError):
    """The image is not available in a region."""

    type = "image-not-in-region"
    title = "The XGBoost image is not in this region"


@cache
def accounts() -> dict[str, str]:
    """Return region -> account of the image's registry."""
    table: dict[str, str] = json.loads(Path(__file__).with_name("image_accounts.json").read_text(encoding="utf-8"))
    return table


def image_uri(region: str, tag: str = TAG) -> str:
    """Return the image's address in a region; raises `ImageError` for a region that is not in the table."""
    account = accounts().get(region)
    if not account:
        raise ImageError(
            f"The XGBoost image is not available in region {region!r}. Set AWS_DEFAULT_REGION to one of: "
            f"{', '.join(accounts())}."
        )
    return f"{account}.dkr.ecr.{region}.{domain(region)}/{REPOSITORY}:{tag}"


@cache
def domain(region: str) -> str:
    """Return the domain of a region's partition: `amazonaws.com` in most, `amazonaws.com.cn` in China."""
    session = botocore.session.get_session()
    partition = session.get_partition_for_region(region)
    known = session.get_data("partitions")["partitions"]
    return str(next(entry["outputs"]["dnsSuffix"] for entry in known if entry["id"] == partition))
