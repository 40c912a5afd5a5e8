"""Generated reviews in the official layout: enough to go through every step in seconds."""

import io
import random
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from training import data, features
from training.hyperparameters import with_settings
from training.run_folder import Run, load_run
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
def small_channels(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that step `prepare` makes of the generated reviews."""
    folder = tmp_path_factory.mktemp("channels")
    features.prepare(small_data, folder)
    return folder


@pytest.fixture(scope="session")
def small_hyperparameters() -> dict[str, str]:
    """Hyperparameters that learn the generated reviews in a moment."""
    return with_settings("default", SMALL)


@pytest.fixture
def small_run(small_channels: Path, small_hyperparameters: dict[str, str], tmp_path: Path) -> Run:
    """A fresh run that step `train` made of the generated reviews."""
    train(small_channels, tmp_path / "run", small_hyperparameters)
    return load_run(tmp_path / "run")
