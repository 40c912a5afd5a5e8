"""Unit costs of preparation, prediction and training, for the arithmetic of docs/explanation/scale.md.

Processor time is measured, so that a busy machine gives nearly the same figures as an idle one. `python -m
benchmarks.spark_costs --data data` reads the training reviews that `verdict data` wrote.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import numpy as np
import xgboost

from chalicelib import release
from chalicelib.sentiment import encode_review
from training.data.reviews import REVIEWS_NAME, Review, UnlabelledReview, read
from training.data.splits import Splits
from training.evaluation.packaged_model import packaged_model
from training.evaluation.predictions import matrix, predictor
from training.features.extract import extract_part
from training.features.hashed_texts import HashedTexts, hash_unlabelled
from training.features.ngram_weights import best_of_slots, left_out_sets
from training.features.prepare import DEFAULT_RECIPE, RowJob, rows_of_part
from training.features.regressions import AddGradients, Points, padded_width
from training.model.hyperparameters import parse, with_settings
from training.spark.ngram_matrix import REVIEW, build_block

_REVIEWS = 1_000
_SLOTS = 1 << 20
_PASSES, _ROUNDS, _CALLS = 5, 20, 200


def processor_seconds(function: Callable[[], object]) -> float:
    """Return the processor time of a call, in seconds."""
    started = time.process_time()
    function()
    return time.process_time() - started


def preparation(reviews: list[Review]) -> dict[str, float]:
    """Measure the steps of preparation, for each review."""
    count, splits = len(reviews), Splits(1 + max(review.number for review in reviews))
    unlabelled = [UnlabelledReview(number, None, review.text) for number, review in enumerate(reviews)]
    job = RowJob(dict.fromkeys(left_out_sets(), release.load().encoder), splits, DEFAULT_RECIPE, frozenset())
    hashed: list[HashedTexts] = []
    found = {
        "count and hash, ms": processor_seconds(lambda: hashed.append(extract_part((splits, True), iter(reviews))[1])),
        "hash unlabelled, ms": processor_seconds(lambda: hash_unlabelled(unlabelled)),
        "encode rows, ms": processor_seconds(lambda: rows_of_part(job, iter(reviews))),
    }
    lines = [lines.train for lines in rows_of_part(job, iter(reviews)).lines]
    return {name: 1_000 * seconds / count for name, seconds in found.items()} | {
        "text, kB": sum(len(json.dumps(asdict(review))) for review in reviews) / count / 1_000,
        "hashed, kB": 6 * len(hashed[0].hashes) / count / 1_000,
        "rows, kB": sum(map(len, lines)) / count / 1_000,
        **regression_pass(hashed[0], count),
    }


def regression_pass(texts: HashedTexts, count: int) -> dict[str, float]:
    """Measure one pass of all regressions of review weights over a block, for each review."""
    found = np.unique(texts.hashes)
    slot_hashes, _ = best_of_slots([(found, np.ones(len(found), np.uint32))], _SLOTS)
    block = build_block(texts, REVIEW, slot_hashes, _SLOTS).load()
    fits, ngrams = left_out_sets(), len(slot_hashes)
    gradient = np.zeros((ngrams, padded_width(fits)))
    points = Points(np.zeros_like(gradient, np.float32), np.ones(padded_width(fits), np.float32))
    add = AddGradients(points, fits, range(len(fits)))
    seconds = processor_seconds(lambda: [add(block, gradient) for _ in range(_PASSES)])
    return {
        "n-grams of a review and its excerpts": len(block.rows.columns) / count,
        "one pass of the regressions, ms": 1_000 * seconds / _PASSES / count,
    }


def scoring(reviews: list[Review]) -> dict[str, float]:
    """Measure prediction in batches, the model alone for one review, and a round of training, for each review."""
    packaged = release.load()
    model, columns = packaged_model(packaged), packaged.encoder.columns
    predict, rows = predictor(model, columns), [packaged.encoder.row(review.text.split()) for review in reviews]
    predict(rows[:1])
    encoding = processor_seconds(lambda: [encode_review(review.text, packaged) for review in reviews])
    together = processor_seconds(lambda: predict(rows))
    alone = processor_seconds(lambda: [predict([row]) for row in rows[:_CALLS]])
    labelled = xgboost.DMatrix(matrix(rows, columns), label=[review.label for review in reviews], nthread=1)
    booster = parse(with_settings("default", ())).booster | {"nthread": 1}
    training = processor_seconds(lambda: xgboost.train(booster, labelled, _ROUNDS))
    return {
        "clean and encode, ms": 1_000 * encoding / len(reviews),
        "score in a batch, ms": 1_000 * together / len(reviews),
        "score alone, ms": 1_000 * alone / _CALLS,
        "round of training, microseconds a row": 1e6 * training / _ROUNDS / len(reviews),
    }


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spark_costs", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder that `verdict data` wrote")
    options = parser.parse_args()
    training = (review for review in read(options.data / REVIEWS_NAME) if review.split == "train")
    reviews = list(islice(training, _REVIEWS))
    print(f"{len(reviews):,} training reviews; processor time and bytes for each")
    for name, value in {**preparation(reviews), **scoring(reviews)}.items():
        print(f"{name:<40}{value:>10.3f}")


if __name__ == "__main__":
    main()
