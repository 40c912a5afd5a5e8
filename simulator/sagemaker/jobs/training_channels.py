"""A training job's input channels: S3 objects -> the files that each host has in /opt/ml/input/data."""

from typing import Any

from simulator.container.channel_files import Channel
from simulator.sagemaker import storage
from simulator.sagemaker.backend import Backend, InvalidRequestError


def require_channels(backend: Backend, request: dict[str, Any]) -> None:
    """Raise `ServiceError` unless all channels have distinct names and read existing S3 objects."""
    channels = request.get("InputDataConfig", ())
    names = [channel["ChannelName"] for channel in channels]
    if len(set(names)) < len(names):
        raise InvalidRequestError(f"Channel names must be unique: {', '.join(names)}.")
    for channel in channels:
        source = channel["DataSource"].get("S3DataSource")
        if not source or source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
            raise InvalidRequestError("The simulator reads channels only from S3 prefixes and manifests.")
        url = source["S3Uri"]
        if not storage.find_by_prefix(backend.client("s3"), url):
            raise InvalidRequestError(
                f'No S3 objects found under S3 URL "{url}" given in input data source. Please ensure that the bucket '
                f"exists in the selected region ({backend.region}), that objects exist under that S3 prefix, and that "
                f'the role "{request["RoleArn"]}" has "s3:ListBucket" permissions on bucket '
                f'"{storage.split_url(url)[0]}".'
            )


def download(s3: Any, facts: dict[str, Any]) -> list[list[Channel]]:
    """Return the channels of each host; raises `StorageError`."""
    hosts = facts["ResourceConfig"]["InstanceCount"]
    return [
        [_channel(s3, config, facts, host, hosts) for config in facts.get("InputDataConfig", ())]
        for host in range(hosts)
    ]


def _channel(s3: Any, config: dict[str, Any], facts: dict[str, Any], host: int, hosts: int) -> Channel:
    """Return a channel with all objects, or with a host's share if they are sharded."""
    source = config["DataSource"]["S3DataSource"]
    distribution = source.get("S3DataDistributionType", "FullyReplicated")
    found = storage.find(s3, source)
    mode = config.get("InputMode", facts["AlgorithmSpecification"]["TrainingInputMode"])
    return Channel(
        name=config["ChannelName"],
        files={
            stored.path: storage.read(s3, stored, config.get("CompressionType"))
            for stored in (found[host::hosts] if distribution == "ShardedByS3Key" else found)
        },
        content_type=config.get("ContentType", "text/libsvm"),
        input_mode="Pipe" if mode == "Pipe" else "File",  # in the container, FastFile looks like File
        distribution=distribution,
    )
