"""The input channels of a training job: S3 -> what each host finds in /opt/ml/input/data."""

import gzip
import zlib
from collections.abc import Sequence
from typing import Any

from simulator.container.channel_files import Channel
from simulator.sagemaker.backend import Backend, ServiceError
from simulator.sagemaker.hosting.archives import split_url
from simulator.sagemaker.jobs import stored
from simulator.sagemaker.jobs.stored import StorageError, Stored

_SHARDED = "ShardedByS3Key"


def require(world: Backend, request: dict[str, Any]) -> None:
    """Raise `ServiceError` unless every channel is of S3 and has objects."""
    names = [channel["ChannelName"] for channel in request.get("InputDataConfig", ())]
    if len(set(names)) < len(names):
        raise ServiceError("ValidationException", f"Channel names must be unique: {', '.join(names)}.")
    for channel in request.get("InputDataConfig", ()):
        source = channel["DataSource"].get("S3DataSource")
        if not source or source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
            raise ServiceError("ValidationException", "The simulator reads channels from S3 prefixes and manifests.")
        if not stored.find(world.client("s3"), source["S3Uri"]):
            raise ServiceError("ValidationException", _nothing_there(world, source["S3Uri"], request["RoleArn"]))


def _nothing_there(world: Backend, url: str, role: str) -> str:
    """Return the service's words for a prefix without objects."""
    return (
        f'No S3 objects found under S3 URL "{url}" given in input data source. Please ensure that the bucket exists in '
        f"the selected region ({world.region}), that objects exist under that S3 prefix, and that the role "
        f'"{role}" has "s3:ListBucket" permissions on bucket "{split_url(url)[0]}".'
    )


def download(s3: Any, facts: dict[str, Any], hosts: int) -> list[list[Channel]]:
    """Return the channels of each host; raises `StorageError`."""
    return [
        [_channel(s3, channel, host, hosts, facts) for channel in facts.get("InputDataConfig", ())]
        for host in range(hosts)
    ]


def _channel(s3: Any, channel: dict[str, Any], host: int, hosts: int, facts: dict[str, Any]) -> Channel:
    """Return a channel as a host sees it: all objects, or its share of them."""
    source = channel["DataSource"]["S3DataSource"]
    distribution = source.get("S3DataDistributionType", "FullyReplicated")
    found = _objects(s3, source)
    mine = found[host::hosts] if distribution == _SHARDED else found
    mode = channel.get("InputMode", facts["AlgorithmSpecification"]["TrainingInputMode"])
    return Channel(
        name=channel["ChannelName"],
        files={one.path: _content(s3, one, channel.get("CompressionType")) for one in mine},
        content_type=channel.get("ContentType", "text/libsvm"),
        input_mode="Pipe" if mode == "Pipe" else "File",  # FastFile looks like File from within
        distribution=distribution,
    )


def _objects(s3: Any, source: dict[str, Any]) -> Sequence[Stored]:
    return (stored.in_manifest if source["S3DataType"] == "ManifestFile" else stored.find)(s3, source["S3Uri"])


def _content(s3: Any, one: Stored, compression: str | None) -> bytes:
    content = stored.read(s3, one.bucket, one.key)
    if compression != "Gzip":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise StorageError(f"{one.url} is not compressed by gzip ({error})") from error
