"""Models are made level on rows like the app's: words that are 1 or not there, and evidence that is always there."""

import json
import random
from typing import Any

import numpy as np
import pytest
import xgboost
from scipy.sparse import csr_matrix

from training.model.missing_values import count_changed, is_missing_invariant, make_missing_invariant

WORDS = 12  # in columns 1..12, behind the constant in column 0
FIRST_DERIVED = WORDS + 1
DERIVED = 3
COLUMNS = FIRST_DERIVED + DERIVED + 1
ROOT = 2**31 - 1  # what XGBoost names as the parent of a tree's first node
SHAPES = {
    "by depth": {"max_depth": 6},
    "by leaves": {"grow_policy": "lossguide", "max_leaves": 12, "max_depth": 0},
    "by words alone": {"max_depth": 7, "min_child_weight": 0.5},
}


def some_rows(count: Any = 600, seed: Any = 1) -> Any:
    """Make rows as the encoder writes them, and a label that depends on words, on their absence, and on evidence."""
    chance = np.random.default_rng(seed)
    words = chance.random((count, WORDS)) < np.linspace(0.05, 0.9, WORDS)
    derived = chance.integers(90_000, 110_000, (count, DERIVED))
    ones = np.ones((count, 1))
    dense = np.hstack([ones, words, derived, ones])
    voice = 2 * words[:, 3] - 2 * words[:, 8] + words[:, 5] * words[:, 10] - (~words[:, 1] & words[:, 11])
    labels = voice + (derived[:, 0] - 100_000) / 5_000 + chance.normal(0, 0.5, count) > 0
    return csr_matrix(dense), labels  # what is 0 in a sparse matrix is not there, and so missing


def trained(shape: Any, rows: Any, labels: Any) -> Any:
    columns = [*range(FIRST_DERIVED), COLUMNS - 1] if shape == "by words alone" else range(COLUMNS)
    kept = csr_matrix(rows.multiply(np.isin(np.arange(COLUMNS), list(columns))))
    booster = xgboost.train(
        {"objective": "binary:logistic", "nthread": 1, "seed": 1, "eta": 0.3, **SHAPES[shape]},
        xgboost.DMatrix(kept, labels, nthread=1),
        6,
    )
    return bytes(booster.save_raw("ubj"))


def document_of(model: bytes) -> Any:
    return json.loads(xgboost.Booster(model_file=bytearray(model)).save_raw("json"))


def trees_of(model: bytes) -> Any:
    return document_of(model)["learner"]["gradient_booster"]["model"]["trees"]


def splits_of(model: bytes, columns: Any) -> Any:
    """Return (tree number, node, tree) of every split on these columns."""
    return [
        (number, node, tree)
        for number, tree in enumerate(trees_of(model))
        for node, left in enumerate(tree["left_children"])
        if left != -1 and tree["split_indices"][node] in columns
    ]


def forms_of(model: bytes) -> Any:
    """Return the forms of splits on words: (1 goes left, missing goes left)."""
    return {
        (tree["split_conditions"][node] > 1, bool(tree["default_left"][node]))
        for _, node, tree in splits_of(model, range(FIRST_DERIVED))
    }


def with_splits_of_every_form(model: bytes, seed: Any) -> Any:
    """Give every split on a word another threshold and another way for missing, at random."""
    chance = random.Random(seed)
    document = document_of(model)
    for tree in document["learner"]["gradient_booster"]["model"]["trees"]:
        for node, left in enumerate(tree["left_children"]):
            if left != -1 and tree["split_indices"][node] < FIRST_DERIVED:
                tree["split_conditions"][node] = chance.choice([-2.0, -1e-5, 0.0, 0.25, 0.5, 1.0, 1.0000001, 1.5, 3.0])
                tree["default_left"][node] = chance.choice([0, 1])
    return bytes(xgboost.Booster(model_file=bytearray(json.dumps(document).encode())).save_raw("ubj"))


def answers(model: bytes, rows: Any) -> Any:
    """Return a model's scores of rows as bits."""
    booster = xgboost.Booster(model_file=bytearray(model))
    return booster.predict(xgboost.DMatrix(rows, nthread=1)).view(np.uint32).tolist()


@pytest.fixture(scope="module")
def rows() -> Any:
    return some_rows()[0]


@pytest.fixture(scope="module", params=SHAPES)
def model(request: pytest.FixtureRequest, rows: Any) -> Any:
    return trained(request.param, rows, some_rows()[1])


@pytest.fixture(scope="module")
def forged(model: bytes) -> Any:
    """A model with splits of every form, more than XGBoost would make."""
    made = with_splits_of_every_form(model, seed=1)
    assert forms_of(made) == {(True, True), (True, False), (False, True), (False, False)}
    return made


@pytest.fixture(scope="module")
def invariant(forged: Any) -> Any:
    return make_missing_invariant(forged, 0, FIRST_DERIVED)


def test_a_trained_model_distinguishes_missing_from_zero(model: bytes, rows: Any) -> None:
    invariant = make_missing_invariant(model, 0, FIRST_DERIVED)
    assert not is_missing_invariant(model, 0, FIRST_DERIVED)
    assert count_changed(xgboost.Booster(model_file=bytearray(model)), rows) > 0
    assert is_missing_invariant(invariant, 0, FIRST_DERIVED)
    assert count_changed(xgboost.Booster(model_file=bytearray(invariant)), rows) == 0


def test_an_invariant_model_scores_rows_as_before(model: bytes, rows: Any) -> None:
    others = some_rows(count=1_500, seed=2)[0]
    for each in (rows, others):
        assert answers(make_missing_invariant(model, 0, FIRST_DERIVED), each) == answers(model, each)


def test_rewritten_splits_of_every_form_score_rows_as_before(forged: Any, invariant: Any, rows: Any) -> None:
    assert answers(invariant, rows) == answers(forged, rows)


def test_rewritten_splits_of_every_form_treat_zero_as_missing(forged: Any, invariant: Any, rows: Any) -> None:
    assert answers(forged, rows.toarray()) != answers(forged, rows)
    assert answers(invariant, rows.toarray()) == answers(invariant, rows)


@pytest.mark.parametrize("seed", range(2, 5))
def test_any_mix_of_split_forms_is_rewritten(model: bytes, rows: Any, seed: Any) -> None:
    forged = with_splits_of_every_form(model, seed)
    invariant = make_missing_invariant(forged, 0, FIRST_DERIVED)
    assert answers(invariant, rows) == answers(invariant, rows.toarray()) == answers(forged, rows)


@pytest.mark.parametrize("threshold", [-2.0, -1e-5, 0.0, 0.5, 1.0, 1.0000001, 3.0])
@pytest.mark.parametrize("missing_left", [0, 1])
def test_a_single_split_of_any_form_is_rewritten(model: bytes, rows: Any, threshold: Any, missing_left: int) -> None:
    document = document_of(model)
    trees = document["learner"]["gradient_booster"]["model"]["trees"]
    for tree in trees:
        for node, left in enumerate(tree["left_children"]):
            if left != -1 and tree["split_indices"][node] < FIRST_DERIVED:
                tree["split_conditions"][node], tree["default_left"][node] = threshold, missing_left
    made = bytes(xgboost.Booster(model_file=bytearray(json.dumps(document).encode())).save_raw("ubj"))
    invariant = make_missing_invariant(made, 0, FIRST_DERIVED)
    assert is_missing_invariant(invariant, 0, FIRST_DERIVED)
    assert answers(invariant, rows) == answers(invariant, rows.toarray()) == answers(made, rows)


def test_one_split_that_is_not_invariant_is_found(invariant: Any) -> None:
    document = document_of(invariant)
    for number, node, _ in random.Random(1).sample(splits_of(invariant, range(FIRST_DERIVED)), 8):
        tree = document["learner"]["gradient_booster"]["model"]["trees"][number]
        tree["default_left"][node] = 1 - tree["default_left"][node]
        made = bytes(xgboost.Booster(model_file=bytearray(json.dumps(document).encode())).save_raw("ubj"))
        tree["default_left"][node] = 1 - tree["default_left"][node]
        assert not is_missing_invariant(made, 0, FIRST_DERIVED)


def test_parents_and_children_stay_consistent(invariant: Any) -> None:
    for tree in trees_of(invariant):
        assert tree["parents"][0] == ROOT
        for node, (left, right) in enumerate(zip(tree["left_children"], tree["right_children"], strict=True)):
            if left != -1:
                assert right == left + 1  # where XGBoost looks for it
                assert tree["parents"][left] == tree["parents"][right] == node


def test_swapped_children_keep_their_branches(forged: Any, invariant: Any) -> Any:
    """As many leaves lie below every node's children as before, the other way round where the children were swapped."""

    def leaves_below(tree: Any, node: Any) -> Any:
        left, right = tree["left_children"][node], tree["right_children"][node]
        return [tree["split_conditions"][node]] if left == -1 else leaves_below(tree, left) + leaves_below(tree, right)

    swapped_deep = 0
    for before, after in zip(trees_of(forged), trees_of(invariant), strict=True):
        assert sorted(leaves_below(before, 0)) == sorted(leaves_below(after, 0))
        if leaves_below(before, 0) != leaves_below(after, 0):
            swapped_deep += max(len(leaves_below(after, child)) for child in (1, 2)) > 2
    assert swapped_deep > 3


def test_splits_on_ngram_columns_are_unchanged(forged: Any, invariant: Any) -> Any:
    def of_evidence(model: bytes) -> Any:
        return sorted(
            (
                number,
                *(tree[name][node] for name in ("split_indices", "split_conditions", "default_left", "loss_changes")),
            )
            for number, node, tree in splits_of(model, range(FIRST_DERIVED, COLUMNS))
        )

    assert of_evidence(invariant) == of_evidence(forged)


def test_feature_importance_is_unchanged(model: bytes) -> None:
    before, after = (
        xgboost.Booster(model_file=bytearray(each)) for each in (model, make_missing_invariant(model, 0, FIRST_DERIVED))
    )
    for kind in ("weight", "total_gain", "total_cover"):
        assert after.get_score(importance_type=kind) == pytest.approx(before.get_score(importance_type=kind))
    assert after.num_features() == before.num_features() == COLUMNS
    assert after.num_boosted_rounds() == before.num_boosted_rounds()


def test_an_invariant_model_is_unchanged(invariant: Any) -> None:
    assert make_missing_invariant(invariant, 0, FIRST_DERIVED) == invariant


def test_only_the_given_columns_are_rewritten(forged: Any) -> Any:
    some = make_missing_invariant(forged, 3, 6)
    assert is_missing_invariant(some, 3, 6)
    assert not is_missing_invariant(some, 0, FIRST_DERIVED)

    def others(model: bytes) -> Any:
        columns = set(range(COLUMNS)) - {3, 4, 5}
        return sorted((number, tree["split_conditions"][node]) for number, node, tree in splits_of(model, columns))

    assert others(some) == others(forged)
