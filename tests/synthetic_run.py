"""Generated reviews in the official layout: enough to go through every step in seconds."""

import io
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
from simulator.runtime import ACCOUNT, REGION
from training.data import collect, synthetic
from training.data.reviews import REVIEWS_NAME
from training.data.splits import assign
from training.evaluation.evaluate import evaluate
from training.features import ngram_weights, prepare
from training.features.ngram_weights import Learned, LeftOut
from training.model.hyperparameters import with_settings
from training.model.run_folder import Run, load_run
from training.model.train import train

REVIEWS_A_FOLDER = 150
SMALL = ("num_round=30", "early_stopping_rounds=10", "max_leaves=7", "eta=0.3", "colsample_bytree=0.5")


@pytest.fixture(scope="session")
def small_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of generated reviews in the official layout."""
    return synthetic.write_archive(
        tmp_path_factory.mktemp("archive") / "small.tar.gz", synthetic.files(REVIEWS_A_FOLDER)
    )


@pytest.fixture(scope="session")
def small_data(small_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that step `data` makes of the generated reviews."""
    folder = tmp_path_factory.mktemp("data")
    collect.collect(small_archive, folder)
    return folder


@pytest.fixture(scope="session")
def small_slots() -> int:
    """Slots for evidence tables that the generated reviews do not fill."""
    return 1 << 14


@pytest.fixture(scope="session")
def small_channels(small_data: Path, small_slots: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that step `prepare` makes of the generated reviews."""
    folder = tmp_path_factory.mktemp("channels")
    prepare.prepare(small_data, folder, slots=small_slots)
    return folder


@pytest.fixture(scope="session")
def small_learned(small_data: Path, small_slots: int) -> Learned:
    """The evidence that the generated reviews give, in all tables."""
    path = small_data / REVIEWS_NAME
    return ngram_weights.learn(path, assign(path), slots=small_slots)


@pytest.fixture(scope="session")
def small_encoders(small_channels: Path, small_learned: Learned) -> dict[LeftOut, Encoder]:
    """The encoder of the generated reviews for every set of folds that its evidence has not seen."""
    known = vocabulary.load(small_channels / "vocabulary.txt")
    return {left_out: Encoder(known, table) for left_out, table in small_learned.tables.items()}


@pytest.fixture(scope="session")
def small_hyperparameters() -> dict[str, str]:
    """Hyperparameters that learn the generated reviews in a moment."""
    return with_settings("default", SMALL)


@pytest.fixture(scope="session")
def trained_run(
    small_channels: Path, small_hyperparameters: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """A run that step `train` made of the generated reviews, for tests that leave it as it is."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    train(small_channels, folder, small_hyperparameters)
    return load_run(folder)


@pytest.fixture(scope="session")
def evaluated_run(trained_run: Run, small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same run once it was evaluated, on the test too, for tests that leave it as it is."""
    folder = tmp_path_factory.mktemp("evaluated") / "run"
    shutil.copytree(trained_run.folder, folder)
    evaluate(folder, small_data, include_test=True)
    return load_run(folder)


@pytest.fixture
def small_run(trained_run: Run, tmp_path: Path) -> Run:
    """The same run in a folder of its own, which a test may change."""
    shutil.copytree(trained_run.folder, tmp_path / "run")
    return load_run(tmp_path / "run")


@pytest.fixture(scope="module")
def running_aws() -> Iterator[SimulatedAws]:
    """An empty AWS on a free loopback port for all tests of a module, in which minutes last a moment."""
    with SimulatedAws(pace=0.02) as aws:
        yield aws


@pytest.fixture
def simulated_aws(running_aws: SimulatedAws) -> Iterator[SimulatedAws]:
    """The same AWS, which may be told to go wrong in this test: everything goes right again afterwards."""
    yield running_aws
    running_aws.fault_injector.clear()


@pytest.fixture
def simulated(simulated_aws: SimulatedAws) -> SimulatedAws:
    """The same, for tests that also work on it as a person does (`aws`)."""
    return simulated_aws


@pytest.fixture
def aws(simulated: SimulatedAws) -> Aws:
    """What a command works with; `aws.console.file.getvalue()` is what it printed."""
    account = Account(ACCOUNT, REGION, "aws", f"arn:aws:iam::{ACCOUNT}:user/tester", simulated.client)
    console = Console(file=io.StringIO(), width=160)
    return Aws(account, console)


@pytest.fixture
def stage(aws: Aws, request: pytest.FixtureRequest) -> Iterator[str]:
    """A stage of its own for a test, and an execution role; its endpoints go afterwards, as quotas are small."""
    role.create(aws)
    name = f"s{zlib.crc32(request.node.name.encode())}"
    yield name
    for endpoint in endpoint_state.find_all(aws.account, name):
        aws.account.client("sagemaker").delete_endpoint(EndpointName=endpoint.name)


@pytest.fixture
def quickly() -> Callable[[float], None]:
    """A pause that only lets the simulator's threads have their turn."""
    return lambda seconds: time.sleep(min(seconds, 0.1))
