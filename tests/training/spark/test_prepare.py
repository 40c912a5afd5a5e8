"""Preparation on Spark in local mode, beside that of one machine."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from tests.training.spark.conftest import SHARDS, Preparation
from training.data.reviews import REVIEWS_NAME, DataError, read
from training.data.splits import assign
from training.features.channels import channel_names, files_at, load_prepared
from training.features.prepare import PRESETS, prepare
from training.model.train import train
from training.spark import texts as spark_texts
from training.spark.prepare import prepare_on_spark
from training.spark.storage import Folder

pytestmark = pytest.mark.needs_spark
SAME = (
    "data_fingerprint",
    "vocabulary_fingerprint",
    "words",
    "terms",
    "strongest",
    "recipe",
    "rows",
    "dropped",
    "texts",
)


def lines_of(folder: Path, channel: str) -> list[bytes]:
    """Return the lines of a channel, of all its files in order."""
    return [line for path in files_at(folder / channel) for line in path.read_bytes().splitlines()]


def test_the_splits_are_the_same(spark: Any, corpus: Path) -> None:
    reviews = spark_texts.read_reviews(spark.sparkContext, Folder(spark, str(corpus)))
    expected = assign(corpus / REVIEWS_NAME)
    assert spark_texts.assign(reviews, "corpus") == expected
    assert len(expected.duplicates) == 1
    assert reviews.collect() == list(read(corpus / REVIEWS_NAME))


def test_too_few_reviews_are_refused(spark: Any, corpus: Path) -> None:
    reviews = spark_texts.read_reviews(spark.sparkContext, Folder(spark, str(corpus))).filter(
        lambda review: review.label
    )
    with pytest.raises(DataError, match="each of 5 folds needs both labels"):
        spark_texts.assign(reviews, "corpus")


def test_the_vocabulary_and_the_facts_are_the_same(prepared_here: Preparation, prepared_on_spark: Preparation) -> None:
    names = [folder / "vocabulary.txt" for folder, _ in (prepared_here, prepared_on_spark)]
    assert names[0].read_bytes() == names[1].read_bytes()
    assert [getattr(prepared_on_spark.facts, name) for name in SAME] == [
        getattr(prepared_here.facts, name) for name in SAME
    ]
    assert (prepared_here.facts.engine, prepared_on_spark.facts.engine) == ("here", "spark")
    assert prepared_here.facts.texts["unlabelled review"] == 200


def test_the_terms_and_their_weights_are_the_same(prepared_here: Preparation, prepared_on_spark: Preparation) -> None:
    here, on_spark = ((folder / "evidence.bin").read_bytes() for folder, _ in (prepared_here, prepared_on_spark))
    assert prepared_here.facts.terms > 1_000
    assert here == on_spark


def test_channels_have_the_same_lines_in_parts(prepared_here: Preparation, prepared_on_spark: Preparation) -> None:
    for channel in channel_names():
        here, on_spark = (lines_of(each.folder, channel) for each in (prepared_here, prepared_on_spark))
        assert sorted(here) == sorted(on_spark)
        assert here == on_spark or "/train/" in channel  # out-of-fold predictions are read in this order
    parts = files_at(prepared_on_spark.folder / channel_names()[0])
    assert [part.name for part in parts] == [f"part-{number:05d}" for number in range(SHARDS)]
    assert all({line[:1] for line in part.read_bytes().splitlines()} == {b"0", b"1"} for part in parts)


def test_the_folder_has_nothing_but_channels_and_encoder(prepared_on_spark: Preparation) -> None:
    found = {str(path.relative_to(prepared_on_spark.folder)) for path in prepared_on_spark.folder.rglob("*.*")}
    assert found == {"vocabulary.txt", "evidence.bin", "prepared.json"}
    loaded, encoder = load_prepared(prepared_on_spark.folder)
    assert loaded == prepared_on_spark.facts
    assert encoder.fingerprint == loaded.vocabulary_fingerprint
    found = {str(path.relative_to(prepared_on_spark.folder)) for path in prepared_on_spark.folder.rglob("*part-*")}
    assert found == set(loaded.channel_sha256)


def test_a_model_of_these_channels_is_as_accurate(
    prepared_here: Preparation,
    prepared_on_spark: Preparation,
    small_hyperparameters: dict[str, str],
    tmp_path: Path,
) -> None:
    errors = [
        train(each.folder, tmp_path / str(each.facts.engine), small_hyperparameters).best["validation"]["error"]
        for each in (prepared_here, prepared_on_spark)
    ]
    rows = sum(sum(counts.values()) for name, counts in prepared_here.facts.rows.items() if "/validation/" in name)
    assert abs(errors[0] - errors[1]) < math.sqrt(errors[0] * (1 - errors[0]) / rows) + 0.5 / rows
    assert errors[0] < 0.3


def test_preparing_here_removes_the_parts(prepared_on_spark: Preparation, corpus: Path, tmp_path: Path) -> None:
    folder = tmp_path / "channels"
    for name in prepared_on_spark.facts.channel_sha256:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"0 0:1\n")
    prepare(corpus, folder, recipe=PRESETS["tutorial"])
    assert not list(folder.rglob("part-*"))


def test_a_limited_number_of_reviews_is_refused(spark: Any, corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="leave --engine out"):
        prepare_on_spark(spark, str(corpus), str(tmp_path / "channels"), recipe=PRESETS["tutorial"])


def test_data_on_a_hadoop_path_needs_a_manifest(spark: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no file data\.json"):
        prepare_on_spark(spark, tmp_path.as_uri(), str(tmp_path / "channels"))
    (tmp_path / "data.json").write_text(json.dumps({"source": "x"}))
    with pytest.raises(DataError, match="is not a manifest of data"):
        prepare_on_spark(spark, tmp_path.as_uri(), str(tmp_path / "channels"))
