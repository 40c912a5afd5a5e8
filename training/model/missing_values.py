"""Makes a tree model read gaps and zeros of the word columns alike, so that a dense row gets the same answer.

A row names the words that occur; the other word columns are missing, and to XGBoost missing is not zero. Whoever sends
zeros instead, by mistake or through a container that fills gaps, would get confident nonsense. But a word column is 1
or not there. So every split on one can say "below 0.5, missing goes the same way" without changing any answer to rows
as this project writes them: the threshold becomes 0.5, and where missing went right, the two children change places.
The derived columns are never missing and never 0, so nothing is done to theirs. A linear model stays as it is: to it
a gap and a zero add the same nothing.
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
    """Return the model (UBJSON) with every split on columns `first_word` to `after_words` - 1 made level."""
    booster = xgboost.Booster(model_file=bytearray(model))
    document = json.loads(booster.save_raw("json"))
    for tree, node in _splits_on(document, first_word, after_words):
        _level_split(tree, node)
    changed = xgboost.Booster(model_file=bytearray(json.dumps(document).encode()))
    return bytes(changed.save_raw("ubj"))


def is_missing_invariant(model: bytes, first_word: int, after_words: int) -> bool:
    """Tell whether every split on these columns sends 0 where it sends missing: then no answer can tell them apart."""
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


def _level_split(tree: dict[str, Any], node: int) -> None:
    """Make one split send 0 where it sends missing, and 1 where it sent 1."""
    present_left = tree["split_conditions"][node] > 1
    missing_left = bool(tree["default_left"][node])
    if missing_left and present_left:  # all go one way: so do 0 and 1 below any larger threshold
        return
    if not missing_left and present_left:
        _swap(tree, tree["left_children"][node], tree["right_children"][node])
        tree["default_left"][node] = 1
    elif not missing_left:  # all go right, whatever they are: so does what is not below nothing
        tree["split_conditions"][node] = -1.0
        return
    tree["split_conditions"][node] = THRESHOLD


def _swap(tree: dict[str, Any], one: int, other: int) -> None:
    """Let two nodes change places, each with the branches below it: XGBoost looks for a right child behind the left."""
    for name in _NODE_LISTS:
        values = tree[name]
        values[one], values[other] = values[other], values[one]
    for node in (one, other):
        for child in (tree["left_children"][node], tree["right_children"][node]):
            if child != -1:
                tree["parents"][child] = node
    tree["parents"][one] = tree["parents"][other]  # siblings: the same before and after


def count_changed(booster: xgboost.Booster, rows: csr_matrix, batch: int = 500) -> int:
    """Count the rows whose answer changes, by as little as a bit, when their gaps are filled with zeros."""
    differing = 0
    for start in range(0, rows.shape[0], batch):
        part = rows[start : start + batch]
        sparse = booster.predict(xgboost.DMatrix(part, nthread=1))
        dense = booster.predict(xgboost.DMatrix(part.toarray(), nthread=1))  # a 0 is a 0 here, not missing
        differing += int(np.count_nonzero(sparse.view(np.uint32) != dense.view(np.uint32)))
    return differing
