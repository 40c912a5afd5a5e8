"""The distributed matrix, beside that of one machine, and in each of its sums."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.data.reviews import REVIEWS_NAME, UNLABELLED_NAME, read, read_unlabelled
from training.data.splits import Splits
from training.features.extract import extract_part
from training.features.hashed_columns import HashedColumns
from training.features.hashed_texts import HashedTexts, hash_unlabelled
from training.features.ngram_matrix import NgramMatrix, Singles, TextBlock, build_matrices
from training.features.ngram_weights import choose_ngrams, left_out_sets
from training.features.regressions import AddGradients, Guess, Points
from training.spark.ngram_matrix import REVIEW, SENTENCE, SparkMatrix, build_block

pytestmark = pytest.mark.needs_spark
SLOTS = 1 << 16
REVIEWS = 120
LEFT_OUT = left_out_sets()


@pytest.fixture(scope="module")
def hashed(corpus: Path) -> list[HashedTexts]:
    """Two batches of labelled reviews, and one of unlabelled ones."""
    reviews = [review for review in read(corpus / REVIEWS_NAME) if review.split == "train"]
    batches = (reviews[:REVIEWS], reviews[REVIEWS : 2 * REVIEWS])
    labelled = [extract_part((Splits(len(reviews)), True), iter(batch))[1] for batch in batches]
    return [*labelled, hash_unlabelled(read_unlabelled(corpus / UNLABELLED_NAME))]


@pytest.fixture(scope="module")
def here(hashed: list[HashedTexts]) -> tuple[HashedColumns, NgramMatrix, NgramMatrix]:
    """The matrices of this machine, and the files of one of them."""
    columns = HashedColumns()
    for texts in hashed:
        columns.add(texts)
    return columns, *build_matrices(columns, choose_ngrams(columns, SLOTS), SLOTS, alone=True)


@pytest.fixture(scope="module")
def on_spark(
    spark: Any, hashed: list[HashedTexts], here: tuple[HashedColumns, NgramMatrix, NgramMatrix]
) -> SparkMatrix:
    """The matrix of review weights in two partitions of labelled texts, and one of unlabelled texts."""
    slot_hashes = choose_ngrams(here[0], SLOTS)
    blocks = [build_block(texts, REVIEW, slot_hashes, SLOTS) for texts in hashed]
    context = spark.sparkContext
    return SparkMatrix(context.parallelize(blocks[:2], 2), context.parallelize(blocks[2:], 1), len(slot_hashes))


def points_of(matrix: NgramMatrix) -> Points:
    """Return some points of the regressions."""
    width = 4 * math.ceil(len(LEFT_OUT) / 4)  # as wide as the regressions make it
    weights: Singles = np.random.default_rng(5).normal(0, 0.1, (matrix.ngrams, width)).astype(np.float32)
    return Points(weights, np.full(width, 0.1, np.float32))


@pytest.mark.parametrize("which", [REVIEW, SENTENCE])
def test_a_block_has_the_rows_of_this_machines(
    hashed: list[HashedTexts], here: tuple[HashedColumns, NgramMatrix, NgramMatrix], which: int
) -> None:
    columns, *matrices = here
    slot_hashes = choose_ngrams(columns, SLOTS)
    built: list[TextBlock] = [build_block(texts, which, slot_hashes, SLOTS).load() for texts in hashed]
    for block, expected in zip(built, matrices[which].blocks, strict=False):
        rows = expected.rows()
        assert (block.rows.starts == rows.starts).all()
        assert (block.rows.columns == rows.columns).all()
        assert (block.rows.values("int8") == rows.values("int8")).all()
    weights = np.concatenate([block.weights for block in built])
    assert (weights[: len(matrices[which].weights)] == matrices[which].weights).all()


def test_sums_are_those_of_this_machine(
    here: tuple[HashedColumns, NgramMatrix, NgramMatrix], on_spark: SparkMatrix
) -> None:
    _, matrix, _ = here
    assert on_spark.has_unlabelled
    assert matrix.has_unlabelled
    points = points_of(matrix)
    guess = Guess(points, 2.0, 20.0)
    add = AddGradients(points, LEFT_OUT, range(len(LEFT_OUT)))
    for ours, theirs in (
        (matrix.labelled_part(), on_spark.labelled_part()),
        (matrix.with_guesses(guess), on_spark.with_guesses(guess)),
    ):
        assert theirs.total_weights(LEFT_OUT) == ours.total_weights(LEFT_OUT)
        expected, found = (each.sum_over_blocks(points.weights.shape, add) for each in (ours, theirs))
        assert np.count_nonzero(expected[0]) > matrix.ngrams
        assert (found[0] == expected[0]).all()
        assert (found[1] == expected[1]).all()


def test_a_matrix_of_labelled_texts_only_needs_no_guesses(on_spark: SparkMatrix) -> None:
    labelled = on_spark.labelled_part()
    assert not labelled.has_unlabelled
    assert labelled.with_guesses(lambda _block: np.zeros((0, 0), np.float32)) is labelled
