"""Invariance of a tree model to missing word columns: a missing word and a zero get the same score.

A row names the words that occur; other word columns are missing, and XGBoost distinguishes missing from zero. A client
that sends zeros instead, by mistake or through a container that fills missing columns, would get a confident wrong
score. Word columns only have the value 1 or are missing. So every split on one can be rewritten as "below 0.5, and
missing goes the same way", without changing the score of any row of this project: the threshold becomes 0.5, and if
missing went right, the two children are swapped. N-gram columns are never missing and never 0, so their splits stay. A
linear model stays too: a missing value and a zero both add nothing.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import xgboost
from scipy.sparse import csr_matrix

THRESHOLD = 0.5
_NODE_LISTS = (
    "base_weights",
    "default_left",
    "left_children",
    "loss_changes",
    "parents",
    "right_children",
    "split_conditions",
    "split_indices",
    "split_type",
    "sum_hessian",
)


def make_missing_invariant(model: bytes, first_word: int, after_words: int) -> bytes:
    """Return the model (UBJSON) with every split on columns `first_word` to `after_words` - 1 rewritten."""
    booster = xgboost.Booster(model_file=bytearray(model))
    document = json.loads(booster.save_raw("json"))
    for tree, node in _splits_on(document, first_word, after_words):
        _rewrite_split(tree, node)
    changed = xgboost.Booster(model_file=bytearray(json.dumps(document).encode()))
    return bytes(changed.save_raw("ubj"))


def is_missing_invariant(model: bytes, first_word: int, after_words: int) -> bool:
    """Return whether every split on these columns sends 0 where it sends missing, so scores cannot differ."""
    document = json.loads(xgboost.Booster(model_file=bytearray(model)).save_raw("json"))
    return all(
        (tree["split_conditions"][node] > 0) == bool(tree["default_left"][node])
        for tree, node in _splits_on(document, first_word, after_words)
    )


def _splits_on(document: dict[str, Any], first_word: int, after_words: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield (tree, node) for every split on one of these columns."""
    for tree in document["learner"]["gradient_booster"]["model"].get("trees", ()):
        for node, left in enumerate(tree["left_children"]):
            if left != -1 and first_word <= tree["split_indices"][node] < after_words:
                yield tree, node


def _rewrite_split(tree: dict[str, Any], node: int) -> None:
    """Rewrite a split on a word column so that 0 goes where missing goes, and 1 goes where it went.

    | missing | 1     | before                           | after                                  |
    |---------|-------|----------------------------------|----------------------------------------|
    | left    | left  | threshold above 1                | unchanged: 0, 1 and missing go left    |
    | left    | right | threshold in (0, 1]              | threshold 0.5                          |
    | right   | left  | threshold above 1, default right | children swapped, threshold 0.5        |
    | right   | right | threshold at most 1              | threshold -1: 0, 1 and missing go right |
    """
    missing_left = bool(tree["default_left"][node])
    one_left = tree["split_conditions"][node] > 1
    if missing_left and one_left:
        return
    if not missing_left and not one_left:
        tree["split_conditions"][node] = -1.0
        return
    if not missing_left:
        _swap_nodes(tree, tree["left_children"][node], tree["right_children"][node])
        tree["default_left"][node] = 1
    tree["split_conditions"][node] = THRESHOLD


def _swap_nodes(tree: dict[str, Any], left: int, right: int) -> None:
    """Swap two siblings with the branches below them; XGBoost requires a right child's index to follow the left's."""
    for name in _NODE_LISTS:
        values = tree[name]
        values[left], values[right] = values[right], values[left]
    for node in (left, right):
        for child in (tree["left_children"][node], tree["right_children"][node]):
            if child != -1:
                tree["parents"][child] = node
    tree["parents"][left] = tree["parents"][right]  # siblings have the same parent


def count_changed(booster: xgboost.Booster, rows: csr_matrix, batch: int = 500) -> int:
    """Count the rows whose score changes, even by one bit, if missing columns are filled with zeros."""
    differing = 0
    for start in range(0, rows.shape[0], batch):
        part = rows[start : start + batch]
        sparse = booster.predict(xgboost.DMatrix(part, nthread=1))
        dense = booster.predict(xgboost.DMatrix(part.toarray(), nthread=1))  # zeros are kept as zeros
        differing += int(np.count_nonzero(sparse.view(np.uint32) != dense.view(np.uint32)))
    return differing
