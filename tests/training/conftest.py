"""Generated reviews in the official layout: enough to go through every step in seconds."""

import io
import random
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib import vocabulary
from chalicelib.encoder import Encoder
from training import data, evidence, features
from training.evaluate import evaluate
from training.evidence import Learned, LeftOut
from training.hyperparameters import with_settings
from training.reviews import REVIEWS_NAME
from training.run_folder import Run, load_run
from training.splits import assign
from training.train import train

REVIEWS_A_FOLDER = 150
SMALL = ("num_round=30", "early_stopping_rounds=10", "max_leaves=7", "eta=0.3", "colsample_bytree=0.5")
_TOLD = ("the film", "this movie", "its plot", "the cast", "every scene", "the score", "that ending", "her role")
_JUDGED = {
    "pos": ("is wonderful", "was a joy to watch", "is superb", "is not bad at all", "deserves 9/10", "felt so moving"),
    "neg": ("is horrible", "was a waste of time", "is dull", "is not good at all", "deserves 2/10", "felt so boring"),
}


def generated_review(label: str, seed: str) -> str:
    """Write a review of 2 to 9 sentences, of which one in six says the opposite of its label."""
    chance = random.Random(seed)
    other = {"pos": "neg", "neg": "pos"}[label]
    sides = [other if chance.random() < 1 / 6 else label for _ in range(chance.randint(2, 9))]
    return f"Review {seed.rsplit('-')[-1]}. " + " ".join(
        f"{chance.choice(_TOLD)} {chance.choice(_JUDGED[side])}." for side in sides
    )


def generated_files(count: int = REVIEWS_A_FOLDER) -> Iterator[tuple[str, bytes]]:
    """Yield (path in the official layout, content) of generated reviews, `count` for each of the four folders."""
    for split in ("train", "test"):
        for label, ratings in (("pos", (7, 8, 9, 10)), ("neg", (1, 2, 3, 4))):
            for number in range(count):
                name = f"aclImdb/{split}/{label}/{number}_{ratings[number % 4]}.txt"
                yield name, generated_review(label, f"{split}-{label}-{number}").encode()


def write_archive(path: Path, files: Iterator[tuple[str, bytes]]) -> Path:
    """Write a .tar.gz of these files."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture(scope="session")
def small_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of generated reviews in the official layout."""
    return write_archive(tmp_path_factory.mktemp("archive") / "small.tar.gz", generated_files())


@pytest.fixture(scope="session")
def small_data(small_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that step `data` makes of the generated reviews."""
    folder = tmp_path_factory.mktemp("data")
    data.collect(small_archive, folder)
    return folder


@pytest.fixture(scope="session")
def small_slots() -> int:
    """Slots for evidence tables that the generated reviews do not fill."""
    return 1 << 14


@pytest.fixture(scope="session")
def small_channels(small_data: Path, small_slots: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that step `prepare` makes of the generated reviews."""
    folder = tmp_path_factory.mktemp("channels")
    features.prepare(small_data, folder, slots=small_slots)
    return folder


@pytest.fixture(scope="session")
def small_learned(small_data: Path, small_slots: int) -> Learned:
    """The evidence that the generated reviews give, in all tables."""
    path = small_data / REVIEWS_NAME
    return evidence.learn(path, assign(path), slots=small_slots)


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
    evaluate(folder, small_data, look_at_test=True)
    return load_run(folder)


@pytest.fixture
def small_run(trained_run: Run, tmp_path: Path) -> Run:
    """The same run in a folder of its own, which a test may change."""
    shutil.copytree(trained_run.folder, tmp_path / "run")
    return load_run(tmp_path / "run")
