"""Fixtures of a small synthetic run: reviews, channels, a trained model, and a simulated AWS."""

import hashlib
import io
import json
import shutil
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console

from chalicelib import vocabulary
from chalicelib.encoder import Encoder
from operations.aws import role
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.endpoint import endpoint_state
from simulator.aws import SimulatedAws
from simulator.endpoint.runtime import ACCOUNT, REGION
from training.data import collect, synthetic
from training.data.reviews import REVIEWS_NAME
from training.data.splits import LeftOut, assign
from training.evaluation.evaluate import evaluate
from training.features import ngram_weights, prepare
from training.features.channels import PREPARED_NAME, SPARK, channel_names, part_name
from training.features.extract import extract
from training.features.ngram_weights import LearnedWeights
from training.model.hyperparameters import with_settings
from training.model.run_folder import Run, load_run
from training.model.train import train

REVIEWS_PER_FOLDER = 150
SMALL = ("num_round=30", "early_stopping_rounds=10", "max_leaves=7", "eta=0.3", "colsample_bytree=0.5")


@pytest.fixture(scope="session")
def small_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of generated reviews in the official layout."""
    return synthetic.write_archive(
        tmp_path_factory.mktemp("archive") / "small.tar.gz", synthetic.files(REVIEWS_PER_FOLDER)
    )


@pytest.fixture(scope="session")
def small_data(small_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that step `data` writes for the generated reviews."""
    folder = tmp_path_factory.mktemp("data")
    collect.collect(small_archive, folder)
    return folder


@pytest.fixture(scope="session")
def small_slots() -> int:
    """The size of n-gram tables that the generated reviews do not fill."""
    return 1 << 14


@pytest.fixture(scope="session")
def small_channels(small_data: Path, small_slots: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that step `prepare` writes for the generated reviews."""
    folder = tmp_path_factory.mktemp("channels")
    prepare.prepare(small_data, folder, slots=small_slots)
    return folder


@pytest.fixture(scope="session")
def channels_in_parts(small_channels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same channels in three parts each, as Spark writes them."""
    folder = tmp_path_factory.mktemp("parts") / "channels"
    shutil.copytree(small_channels, folder)
    prepared = json.loads((folder / PREPARED_NAME).read_text())
    prepared |= {"engine": SPARK, "channel_sha256": {}}
    for name in channel_names():
        lines = (folder / name).read_bytes().splitlines(keepends=True)
        (folder / name).unlink()
        for index in range(3):
            part, content = (
                part_name(name, index),
                b"".join(lines[index * len(lines) // 3 : (index + 1) * len(lines) // 3]),
            )
            (folder / part).write_bytes(content)
            prepared["channel_sha256"][part] = hashlib.sha256(content).hexdigest()
    (folder / PREPARED_NAME).write_text(json.dumps(prepared))
    return folder


@pytest.fixture(scope="session")
def small_learned(small_data: Path, small_slots: int) -> LearnedWeights:
    """All n-gram weights of the generated reviews."""
    path = small_data / REVIEWS_NAME
    return ngram_weights.learn_weights(extract(small_data, assign(path)).hashed, slots=small_slots)


@pytest.fixture(scope="session")
def small_encoders(small_channels: Path, small_learned: LearnedWeights) -> dict[LeftOut, Encoder]:
    """The encoder of the generated reviews for every tenth that its n-gram weights were learned without."""
    known = vocabulary.load(small_channels / "vocabulary.txt")
    return {left_out: Encoder(known, table) for left_out, table in small_learned.tables.items()}


@pytest.fixture(scope="session")
def small_hyperparameters() -> dict[str, str]:
    """Hyperparameters that train on the generated reviews in a second."""
    return with_settings("default", SMALL)


@pytest.fixture(scope="session")
def trained_run(
    small_channels: Path, small_hyperparameters: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """A run of step `train` on the generated reviews, shared by tests that only read it."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    train(small_channels, folder, small_hyperparameters)
    return load_run(folder)


@pytest.fixture(scope="session")
def evaluated_run(trained_run: Run, small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same run after an evaluation that includes the test, shared by tests that only read it."""
    folder = tmp_path_factory.mktemp("evaluated") / "run"
    shutil.copytree(trained_run.folder, folder)
    evaluate(folder, small_data, include_test=True)
    return load_run(folder)


@pytest.fixture
def small_run(trained_run: Run, tmp_path: Path) -> Run:
    """A copy of the run, which a test may change."""
    shutil.copytree(trained_run.folder, tmp_path / "run")
    return load_run(tmp_path / "run")


@pytest.fixture(scope="module")
def running_aws() -> Iterator[SimulatedAws]:
    """An empty simulated AWS on a free loopback port, shared by a module, in which minutes pass in moments."""
    with SimulatedAws(pace=0.02) as aws:
        yield aws


@pytest.fixture
def simulated_aws(running_aws: SimulatedAws) -> Iterator[SimulatedAws]:
    """The same AWS, in which a test may inject faults; they are cleared afterwards."""
    yield running_aws
    running_aws.fault_injector.clear()


@pytest.fixture
def simulated(simulated_aws: SimulatedAws) -> SimulatedAws:
    """The same, for tests that also use the fixture `aws`."""
    return simulated_aws


@pytest.fixture
def aws(simulated: SimulatedAws) -> Aws:
    """The context of a command; `aws.console.file.getvalue()` is its output."""
    return command_context(simulated)


def command_context(simulated: SimulatedAws) -> Aws:
    """Return the context of a command on a simulated AWS."""
    account = Account(ACCOUNT, REGION, "aws", f"arn:aws:iam::{ACCOUNT}:user/tester", simulated.client, simulated.client)
    console = Console(file=io.StringIO(), width=160)
    return Aws(account, console)


@pytest.fixture
def stage(aws: Aws, request: pytest.FixtureRequest) -> Iterator[str]:
    """A separate stage for a test, with an execution role; its endpoints are deleted afterwards (quotas are small)."""
    role.create(aws)
    name = f"s{zlib.crc32(request.node.name.encode())}"
    yield name
    for endpoint in endpoint_state.find_all(aws.account, name):
        endpoint_state.start_deletion(aws, endpoint.name, None, "")


@pytest.fixture
def quickly() -> Callable[[float], None]:
    """A sleep of at most 0.1 seconds, which lets the threads of the simulator run."""
    return lambda seconds: time.sleep(min(seconds, 0.1))
