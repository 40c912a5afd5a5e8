"""Learns the evidence tables: what each term, from a word to a triple, says for and against a review.

A table has two weights a term. One is learned by a logistic regression over all terms that occur, each scaled by its
log-count ratio (NB-SVM: Wang & Manning, ACL 2012), on reviews and, with little weight, on crops of them. The other is
the log-count ratio itself. Terms are chosen by how many reviews hold them, never by label.

The trees must not see evidence that has seen their labels, or they would trust it more than it deserves; and evidence
that has seen much less than what ships is weaker than what they will meet in life, so that they would trust it less. So
a table is learned without each tenth of the reviews (a half of a fold) for the rows of that tenth; without each fold,
for the fold held out; and without a fold and a tenth of the others, for the rows of that tenth beside the fold held
out. With the table that ships these are 56.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, diags_array, vstack

from chalicelib.ngram_features import (
    LEARNED_WEIGHT_UNITS,
    LOG_COUNT_RATIO_UNITS,
    NGRAM_KINDS,
    NgramTable,
    hash_ngrams,
    ngrams,
)
from chalicelib.text import words
from training.data.excerpts import excerpts_of
from training.data.reviews import DataError, Review
from training.data.splits import FOLDS, HALVES, Splits
from training.parallel import map_items, map_reviews
from training.progress import ProgressCallback, silent

SLOTS = 1 << 20
LEAST_REVIEWS = dict(zip(NGRAM_KINDS, (3, 4, 6, 8, 4), strict=True))  # a term of a kind occurs in at least so many
CROPS = 3  # of each review
CROP_WEIGHT = 0.1  # of one crop, beside a review's 1
SMOOTHING = 3.0  # added to the counts before they scale a regression's columns
COUNTED_SMOOTHING = 1.0  # added to the counts of the ratio that is a column of its own
RIDGE = 1e-6  # squared weights cost so much, beside the mean loss of a review
LARGEST_CODE = 127
MOST_STEPS = 100  # of the regression's solver; it takes about half
STRONGEST = 40  # terms each way that are named in reports
_FEW_REVIEWS = 2_000  # below so many, more processes cost more than they bring

LeftOut = frozenset[int]  # tenths
Tables = Mapping[LeftOut, NgramTable | None]
Hashed = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Learned:
    """The tables, by the tenths they have not seen; how many terms they hold; and the terms that say most, by label."""

    tables: Tables
    terms: int
    strongest: dict[str, list[tuple[str, float]]]


@dataclass
class _Part:
    """The hashed terms of a stretch of reviews: each whole, then as its crops, which are the variants."""

    tenths: list[int]
    labels: list[int]
    hashed: list[list[list[Hashed]]]  # variant -> review -> kind -> different hashes


@dataclass(frozen=True)
class _Material:
    """What regressions learn from: a matrix of (reviews, terms) for each variant, with labels and tenths a review."""

    variants: Sequence[csr_matrix]
    labels: npt.NDArray[np.int64]
    tenths: npt.NDArray[np.int64]


def learn(
    path: Path,
    splits: Splits,
    hash_tick: ProgressCallback = silent,
    fit_tick: ProgressCallback = silent,
    slots: int = SLOTS,
) -> Learned:
    """Learn all tables from a file of reviews; raises `DataError` when no term is in enough of them."""
    parts = list(map_reviews(_hash, path, splits, hash_tick))
    owners = _choose([hashed for part in parts for hashed in part.hashed[0]], slots)
    material = _Material(
        [_matrix([hashed for part in parts for hashed in part.hashed[v]], owners, slots) for v in range(1 + CROPS)],
        np.array([label for part in parts for label in part.labels]),
        np.array([tenth for part in parts for tenth in part.tenths]),
    )
    del parts
    sets = left_out_sets()
    codes = list(map_items(_fit, sets, material, fit_tick, alone=len(material.labels) < _FEW_REVIEWS))
    tables = {left_out: _table(owners, *pair, slots) for left_out, pair in zip(sets, codes, strict=True)}
    return Learned(tables, len(owners), _strongest(path, splits, owners, codes[0][0]))


def tenth(fold: int, half: int) -> int:
    """Number the halves of all folds: 0..9."""
    return HALVES * fold + half


def tenths_of(fold: int) -> LeftOut:
    """Return both halves of a fold."""
    return frozenset(tenth(fold, half) for half in range(HALVES))


def left_out_sets() -> list[LeftOut]:
    """Return what each table is learned without: nothing first, which is what ships."""
    every = range(FOLDS * HALVES)
    singles = [frozenset((one,)) for one in every]
    folds = [tenths_of(fold) for fold in range(FOLDS)]
    return [frozenset(), *singles, *folds, *(fold | {one} for fold in folds for one in every if one not in fold)]


def nothing_learned() -> Learned:
    """Return what stands in for `learn` where rows are to have no evidence."""
    return Learned(dict.fromkeys(left_out_sets()), 0, {})


def _hash(splits: Splits, reviews: Iterator[Review]) -> _Part:
    """Hash the terms of the reviews of a stretch that may be learned from, and of their crops."""
    part = _Part([], [], [[] for _ in range(1 + CROPS)])
    for review in reviews:
        fold = splits.of(review)
        if fold is None or not splits.learns(review):
            continue
        part.tenths.append(tenth(fold, splits.half(review)))
        part.labels.append(review.label)
        for variant, text in enumerate((review.text, *excerpts_of(review.id, review.text, CROPS))):
            kinds = [np.unique(np.array(kind, dtype=np.uint32)) for kind in hash_ngrams(words(text)).by_kind]
            part.hashed[variant].append(kinds)
    return part


def _choose(reviews: Sequence[Sequence[Hashed]], slots: int) -> Hashed:
    """Choose the terms: those in enough reviews; of terms with one slot the one in most. Returns hashes by slot."""
    chosen: list[Hashed] = []
    counts: list[npt.NDArray[np.int64]] = []
    for kind, name in enumerate(NGRAM_KINDS):
        found, count = np.unique(np.concatenate([review[kind] for review in reviews]), return_counts=True)
        enough = count >= LEAST_REVIEWS[name]
        chosen.append(found[enough])
        counts.append(count[enough])
    term, count = np.concatenate(chosen), np.concatenate(counts)
    slot = _slot_of(term, slots)
    order = np.lexsort((term, count, slot))
    last = np.append(slot[order][1:] != slot[order][:-1], True)[: len(term)]
    owners: Hashed = term[order][last]
    owners = owners[_slot_of(owners, slots) != 0]
    if not len(owners):
        raise DataError("No term occurs in enough reviews of train: there are too few to learn from.")
    return owners


def _slot_of(term: Hashed, slots: int) -> Hashed:
    """Return the slot of each hashed term in a table of so many slots; slot 0 is left empty, and means "none"."""
    return term & np.uint32(slots - 1)


def _matrix(reviews: Sequence[Sequence[Hashed]], owners: Hashed, slots: int) -> csr_matrix:
    """Return which terms, one a column, occur in which reviews, as the app would find them in the table."""
    column_of = np.full(slots, -1, dtype=np.int32)
    column_of[_slot_of(owners, slots)] = np.arange(len(owners), dtype=np.int32)
    lengths = [sum(map(len, kinds)) for kinds in reviews]
    term = np.concatenate([kind for kinds in reviews for kind in kinds])
    review = np.repeat(np.arange(len(reviews), dtype=np.int32), lengths)
    column = column_of[_slot_of(term, slots)]
    found = (column >= 0) & (owners[column] >> 24 == term >> 24)
    ones = np.ones(int(found.sum()), dtype=np.float32)
    matrix = csr_matrix((ones, (review[found], column[found])), shape=(len(reviews), len(owners)))
    matrix.data[:] = 1  # two terms of a review with one slot are one
    return matrix


def _fit(material: _Material, left_out: LeftOut) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """Learn both weights of every term from the tenths that are not left out; returns their codes."""
    from sklearn.exceptions import ConvergenceWarning  # slow to import, and only needed here
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    kept = ~np.isin(material.tenths, list(left_out))
    labels = material.labels[kept]
    variants = [variant[kept] for variant in material.variants]
    scale = _log_count_ratio(variants[0], labels, SMOOTHING)
    rows = vstack([_scaled(variant, scale) for variant in variants], format="csr")
    weights = np.repeat(np.array([1.0, *[CROP_WEIGHT] * CROPS], dtype=np.float32), len(labels))
    regression = LogisticRegression(C=1 / (RIDGE * float(weights.sum())), max_iter=MOST_STEPS)
    with threadpool_limits(1), warnings.catch_warnings():  # one thread: sums in one order, whatever the machine
        warnings.simplefilter("ignore", ConvergenceWarning)  # where it stops, it has learned enough
        regression.fit(rows, np.tile(labels, len(variants)), weights)
    learned = regression.coef_[0] * scale
    counted = _log_count_ratio(variants[0], labels, COUNTED_SMOOTHING)
    return _codes(learned, LEARNED_WEIGHT_UNITS), _codes(counted, LOG_COUNT_RATIO_UNITS)


def _log_count_ratio(rows: csr_matrix, labels: npt.NDArray[np.int64], smoothing: float) -> npt.NDArray[np.float64]:
    """Return how much commoner each term is among the terms of positive reviews, as a natural logarithm."""
    positive, negative = (np.asarray(rows[labels == label].sum(0)).ravel() + smoothing for label in (1, 0))
    ratio: npt.NDArray[np.float64] = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
    return ratio


def _scaled(rows: csr_matrix, scale: npt.NDArray[np.float64]) -> csr_matrix:
    """Scale every column, and every row by one over the root of its number of terms."""
    lengths = np.maximum(np.diff(rows.indptr), 1)
    scaled = csr_matrix((scale[rows.indices].astype(np.float32), rows.indices, rows.indptr), shape=rows.shape)
    return csr_matrix(diags_array(1 / np.sqrt(lengths).astype(np.float32)) @ scaled)


def _codes(weights: npt.NDArray[np.float64], units: int) -> npt.NDArray[np.int8]:
    """Return the codes that stand for weights, so many units to a whole: `c * |c|` units."""
    sizes = np.minimum(np.round(np.sqrt(np.abs(weights) * units)), LARGEST_CODE)
    codes: npt.NDArray[np.int8] = (np.sign(weights) * sizes).astype(np.int8)
    return codes


def _table(owners: Hashed, learned: npt.NDArray[np.int8], counted: npt.NDArray[np.int8], slots: int) -> NgramTable:
    """Put codes into a table, one slot a term."""
    slot = _slot_of(owners, slots)
    tables = np.zeros((3, slots), dtype=np.uint8)
    tables[0, slot], tables[1, slot], tables[2, slot] = owners >> 24, learned.view(np.uint8), counted.view(np.uint8)
    return NgramTable(*(table.tobytes() for table in tables))


def _strongest(
    path: Path, splits: Splits, owners: Hashed, learned: npt.NDArray[np.int8]
) -> dict[str, list[tuple[str, float]]]:
    """Name the terms with the largest weights each way, with the weights: label name -> (term, weight)."""
    order = np.argsort(learned, kind="stable")
    wanted = {int(owners[i]): _weight(int(learned[i])) for i in (*order[:STRONGEST], *order[-STRONGEST:])}
    names: dict[int, str] = {}
    for found in map_reviews(_name, path, (splits, frozenset(wanted))):
        names.update(found)
    named = sorted((weight, names[term]) for term, weight in wanted.items() if term in names)
    return {
        "negative": [(term, weight) for weight, term in named if weight < 0],
        "positive": [(term, weight) for weight, term in reversed(named) if weight > 0],
    }


def _weight(code: int) -> float:
    """Return the weight that a learned code stands for."""
    return code * abs(code) / LEARNED_WEIGHT_UNITS


def _name(shared: tuple[Splits, frozenset[int]], reviews: Iterator[Review]) -> Mapping[int, str]:
    """Return the wanted terms, by their hash, that occur in a stretch of reviews."""
    splits, wanted = shared
    names: dict[int, str] = {}
    for review in reviews:
        if splits.learns(review):
            found = words(review.text)
            for hashed, named in zip(hash_ngrams(found).by_kind, ngrams(found), strict=True):
                names.update((term, name) for term, name in zip(hashed, named, strict=True) if term in wanted)
    return names
