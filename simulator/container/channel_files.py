"""Training channels: validation, and loading into xgboost's matrices.

xgboost itself reads the files. So an absent column is missing in libsvm, 0 is a real zero in csv, and a libsvm file
declared as csv trains a useless model without an error, as on AWS. Files are read in the order of their names; the
container's order is arbitrary. Source: `data_utils.py` and `algorithm_mode/channel_validation.py` of
github.com/aws/sagemaker-xgboost-container. Not simulated: parquet and recordio-protobuf channels, and Pipe mode, which
fail the job with an error that names them.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import xgboost

from simulator.container.content_types import ContentTypeError, format_of
from simulator.container.errors import TrainingFailedError, algorithm_error

ROOT = "/opt/ml/input/data"
_KNOWN = ("train", "validation", "code")
_READ = ("csv", "libsvm")


@dataclass(frozen=True)
class Channel:
    """A channel as one host sees it: its configuration, and file name -> content."""

    name: str
    files: Mapping[str, bytes]
    content_type: str = "text/libsvm"
    input_mode: str = "File"
    distribution: str = "FullyReplicated"

    @property
    def path(self) -> str:
        """The path in the container."""
        return f"{ROOT}/{self.name}"


def check(channels: Sequence[Channel]) -> str:
    """Validate the channels and their configurations; returns the format that all are read as.

    Raises `TrainingFailedError`.
    """
    by_name = {channel.name: channel for channel in channels}
    if "train" not in by_name:
        raise TrainingFailedError("Missing required channel: train")
    for channel in channels:
        _check_configuration(channel)
    kind = format_of(by_name["train"].content_type)
    if kind not in _READ:
        raise algorithm_error(f"The container reads {kind}, the simulator does not.")
    return kind


def _check_configuration(channel: Channel) -> None:
    """Raise `TrainingFailedError` for an unknown channel or an unsupported configuration."""
    if channel.name not in _KNOWN:
        raise TrainingFailedError(f"Extraneous channel found: {channel.name}")
    if channel.name == "code":
        raise algorithm_error("The container runs scripts of a channel named code, the simulator does not.")
    try:
        kind = format_of(channel.content_type)
    except ContentTypeError as error:
        if ";" in channel.content_type:
            raise TrainingFailedError(str(error)) from error
        raise _unsupported(channel) from error
    if kind == "libsvm" and channel.input_mode == "Pipe":
        raise _unsupported(channel)
    if channel.input_mode == "Pipe":
        raise algorithm_error(f"The container reads {kind} from a pipe, the simulator does not.")


def _unsupported(channel: Channel) -> TrainingFailedError:
    """Return the error of a configuration that the container does not support."""
    value = {
        "ContentType": channel.content_type,
        "TrainingInputMode": channel.input_mode,
        "S3DistributionType": channel.distribution,
        "RecordWrapperType": "None",
    }
    return TrainingFailedError(f"Channel configuration for '{channel.name}' channel is not supported: {value}")


def check_files(channel: Channel, kind: str, log: Callable[[str], None]) -> None:
    """Validate the files of a channel before they are read; raises `TrainingFailedError`."""
    if any(name.rpartition("/")[2].startswith(".") for name in channel.files):
        raise TrainingFailedError("Hidden file found in the data path! Remove that before training.")
    for name, content in channel.files.items():
        if kind == "csv":
            _delimiter(content, log)
        elif content:
            _check_libsvm(name, content)


def _delimiter(content: bytes, log: Callable[[str], None]) -> str:
    """Detect the delimiter of a csv file from its first line."""
    line = content.partition(b"\n")[0].decode("utf-8", "ignore") + "\n"
    try:
        delimiter = csv.Sniffer().sniff(line).delimiter
    except csv.Error as error:
        raise TrainingFailedError(f"Could not determine delimiter on line {line[:50]}:\n{error}") from error
    log(f"Determined delimiter of CSV input is '{delimiter}'")
    return delimiter


def _check_libsvm(name: str, content: bytes) -> None:
    """Raise `TrainingFailedError` unless the lines up to the first with more than one feature are libsvm."""
    for line in content.decode("utf-8", "ignore").splitlines():
        features = _features(line)
        if features is None:
            raise TrainingFailedError(
                f"First line '{line[:50]}...' of file '{name.rpartition('/')[2]}' is not 'LIBSVM' format. "
                "Please ensure the file is in 'LIBSVM' format."
            )
        if features > 1:
            return


def _features(line: str) -> int | None:
    """Count the features of a line; None if it is not libsvm."""
    label, *fields = line.split(" ")
    parts = label.split(":")
    try:
        [float(part) for part in parts]
    except ValueError:
        return None
    return len(fields) if len(parts) <= 2 and all(":" in field for field in fields) else None


def read(
    channel: Channel, kind: str, threads: int, log: Callable[[str], None], weights: bool = False
) -> xgboost.DMatrix | None:
    """Load a channel; None if it is empty. `weights`: the second column of a csv is the row's weight.

    Raises `TrainingFailedError` if xgboost cannot read it.
    """
    contents = [content for _, content in sorted(channel.files.items()) if content]
    if not contents:
        return None
    log(f"files path: {channel.path}")
    query = f"format={kind}"
    if kind == "csv":
        query += f"&label_column=0&delimiter={_delimiter(contents[0], log)}{'&weight_column=1' if weights else ''}"
    with TemporaryDirectory() as folder:
        path = Path(folder) / "channel"
        path.write_bytes(b"\n".join(content.removesuffix(b"\n") for content in contents) + b"\n")
        try:
            matrix = xgboost.DMatrix(f"{path}?{query}", nthread=threads)
        except xgboost.core.XGBoostError as error:
            reason = str(error).partition("\nStack trace:")[0]
            raise TrainingFailedError(f"Failed to load {kind} data with exception:\n{reason}") from error
    if not matrix.get_label().size:
        raise TrainingFailedError("Got input data without labels. Please check the input data set.")
    return matrix
