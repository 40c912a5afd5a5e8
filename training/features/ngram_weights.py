"""N-gram weights: for each n-gram, from a word to a triple, how strongly it points to positive or negative.

A table has two weights for each n-gram, of logistic regressions over all n-grams that occur, each scaled by its
log-count ratio (NB-SVM: Wang & Manning, ACL 2012):

- the review weight, from reviews, labelled sentences and, with labels that an earlier fit of the same regression gave
  them, unlabelled reviews (self-training);
- the sentence weight, from the same labelled texts with more weight on short ones, and from templates. Here the column
  of an n-gram that is wholly inside a negation is -1 instead of 1.

The third number of a table is the log-count ratio in the reviews.

N-grams are chosen by the number of reviews and sentences that contain them, never by label.

The trees must not see weights that were learned from the labels of their own rows: they would trust them too much.
So a separate table is learned without each tenth of the texts, for the rows of that tenth. With the table of all texts,
which is released, these are 11. The regression that labels the unlabelled reviews has not seen the tenth either.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chalicelib.ngram_features import RATIO_UNITS, WEIGHT_UNITS, NgramTable
from chalicelib.ngrams import NGRAM_KINDS
from training.data.reviews import DataError
from training.data.splits import TENTHS, LeftOut
from training.features.hashed_columns import RANGES, Counts, HashedColumns, Part, frequent_in_range
from training.features.ngram_matrix import build_matrices, slot_of
from training.features.regressions import Matrix, NgramCounts, Regressions
from training.parallel import map_items
from training.progress import ProgressCallback, silent

SLOTS = 1 << 20
MIN_TEXTS = dict(zip(NGRAM_KINDS, (3, 4, 6, 8, 4), strict=True))  # kind -> texts that must contain an n-gram
SCALE_SMOOTHING = 3.0  # added to the counts behind the scale of a regression's columns
RATIO_SMOOTHING = 1.0  # added to the counts behind the log-count ratios of the table
LARGEST_CODE = 127
STEPS = 40  # of the regression's solver
SELF_TRAINING_STEPS = 26  # which start from the solution without unlabelled reviews
SHARPENING = 2.0  # of the log-odds that label an unlabelled review
STRONGEST = 40  # n-grams of each label that reports list
_LARGEST_LOG_ODDS = 20.0
USUAL_EVALUATIONS = 3 * (2 * STEPS + SELF_TRAINING_STEPS) // 2  # of the three fits
_FEW_TEXTS = 10_000  # below this number, starting more processes takes longer than it saves

Hashes = npt.NDArray[np.uint32]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]
Tables = Mapping[LeftOut, NgramTable | None]


@dataclass(frozen=True)
class LearnedWeights:
    """The tables by the tenth left out of their training, the number of n-grams, and the strongest weights.

    `strongest` is hash -> review weight in the table of all texts: the lowest and the highest `STRONGEST` weights.
    """

    tables: Tables
    ngrams: int
    strongest: dict[int, float]


def learn_weights(texts: HashedColumns, tick: ProgressCallback = silent, slots: int = SLOTS) -> LearnedWeights:
    """Learn all tables; raises `DataError` if no n-gram occurs in enough texts.

    Unlabelled reviews, if there are any, are the last texts.
    """
    few = sum(len(part.sources) for part in texts.parts) < _FEW_TEXTS
    slot_hashes = in_order_of_columns(_choose(texts, slots, few))
    return learn_tables(build_matrices(texts, slot_hashes, slots, few), slot_hashes, slots, tick)


def learn_tables(
    matrices: tuple[Matrix, Matrix], slot_hashes: Hashes, slots: int, tick: ProgressCallback
) -> LearnedWeights:
    """Learn all tables from the inputs of the regressions of review weights and of sentence weights."""
    codes = _fit(matrices, left_out_sets(), _Evaluations(tick))
    tables = {
        left_out: _table(slot_hashes, parts, slots) for left_out, parts in zip(left_out_sets(), codes, strict=True)
    }
    return LearnedWeights(tables, len(slot_hashes), _strongest(slot_hashes, codes[0][0]))


def in_order_of_columns(chosen: Counts) -> Hashes:
    """Return the hashes of the chosen n-grams, the most frequent first: what is read often is together."""
    hashes, counts = chosen
    slot_hashes: Hashes = hashes[np.argsort(-counts.astype(np.int64), kind="stable")]
    return slot_hashes


class _Evaluations:
    """Reports each evaluation of the regressions; their usual number is the total."""

    def __init__(self, tick: ProgressCallback) -> None:
        self._tick, self._done = tick, 0

    def __call__(self) -> None:
        """Report another evaluation."""
        self._done += 1
        self._tick(min(self._done, USUAL_EVALUATIONS), USUAL_EVALUATIONS, "")


def left_out_sets() -> list[LeftOut]:
    """Return the tenth left out for each table: first None, for the table that is released."""
    return [None, *range(TENTHS)]


def no_weights() -> LearnedWeights:
    """Return the result for rows without n-gram features."""
    return LearnedWeights(dict.fromkeys(left_out_sets()), 0, {})


def choose_ngrams(texts: HashedColumns, slots: int) -> Hashes:
    """Choose the n-grams of the table; returns their hashes in the order of their slots.

    An n-gram needs `MIN_TEXTS` of its kind. Of n-grams that share a slot, the one in the most texts is kept; of equally
    frequent ones the one with the largest hash. Slot 0 stays empty.
    """
    return _choose(texts, slots, alone=True)[0]


def _choose(texts: HashedColumns, slots: int, alone: bool) -> Counts:
    """Choose the n-grams of the table, and count the texts with each; with `alone`, in this process."""
    best: Counts = (np.zeros(0, np.uint32), np.zeros(0, np.uint32))
    for found in map_items(_best_in_range, range(RANGES), (texts.parts, slots), alone=alone):
        best = best_of_slots([best, found], slots)
    check_chosen(best)
    return best


def check_chosen(chosen: Counts) -> None:
    """Raise `DataError` if no n-gram was chosen."""
    if not len(chosen[0]):
        raise DataError("No n-gram occurs in enough training reviews. Collect more reviews.")


def _best_in_range(shared: tuple[Sequence[Part], int], of_range: int) -> Counts:
    """Choose among the n-grams in a range of hashes."""
    parts, slots = shared
    found = [frequent_in_range(parts, kind, of_range, MIN_TEXTS[name]) for kind, name in enumerate(NGRAM_KINDS)]
    return best_of_slots(found, slots)


def best_of_slots(found: Sequence[Counts], slots: int) -> Counts:
    """Return the n-gram of each slot but 0, with the number of texts that contain it, in the order of the slots."""
    hashes, counts = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    order = np.lexsort((hashes, counts, slot_of(hashes, slots)))  # by slot, then count, then hash
    ordered = hashes[order]
    slot = slot_of(ordered, slots)
    next_slot = np.append(slot[1:], np.uint32(slots))[: len(slot)]
    chosen = (slot != next_slot) & (slot != 0)
    return ordered[chosen], counts[order][chosen]


def _fit(
    matrices: tuple[Matrix, Matrix], left_out: Sequence[LeftOut], tick: Callable[[], None]
) -> list[tuple[Codes, Codes, Codes]]:
    """Learn the weights and the log-count ratios without each tenth; returns their codes for each table."""
    counts = NgramCounts(matrices[0].labelled_part(), left_out)
    review_weights = _review_weights(matrices[0], left_out, counts.log_ratios(SCALE_SMOOTHING), tick)
    sentence_weights = _sentence_weights(matrices[1], left_out, tick)
    ratios = counts.log_ratios(RATIO_SMOOTHING)
    return [
        (_codes(of_reviews), _codes(of_sentences), _codes(ratio, RATIO_UNITS))
        for of_reviews, of_sentences, ratio in zip(review_weights, sentence_weights, ratios, strict=True)
    ]


def _sentence_weights(matrix: Matrix, left_out: Sequence[LeftOut], tick: Callable[[], None]) -> list[Floats]:
    """Learn the sentence weights of each table."""
    regressions = Regressions(left_out, NgramCounts(matrix, left_out).log_ratios(SCALE_SMOOTHING))
    regressions.fit(matrix, STEPS, tick)
    return regressions.weights()


def _review_weights(
    matrix: Matrix, left_out: Sequence[LeftOut], ratios: Sequence[Floats], tick: Callable[[], None]
) -> list[Floats]:
    """Learn the review weights of each table; a first fit labels the unlabelled reviews for a second."""
    regressions = Regressions(left_out, ratios)
    regressions.fit(matrix.labelled_part(), STEPS, tick)
    if matrix.has_unlabelled:
        guessed = matrix.with_guesses(regressions.guess(SHARPENING, _LARGEST_LOG_ODDS))
        regressions.fit(guessed, SELF_TRAINING_STEPS, tick)
    return regressions.weights()


def _codes(weights: Floats, units: int = WEIGHT_UNITS) -> Codes:
    """Return the codes nearest to weights of `units` units per 1.0: code `c` stands for `c * |c|` units."""
    sizes = np.minimum(np.round(np.sqrt(np.abs(weights) * units)), LARGEST_CODE)
    codes: Codes = (np.sign(weights) * sizes).astype(np.int8)
    return codes


def _table(slot_hashes: Hashes, codes: Sequence[Codes], slots: int) -> NgramTable:
    """Put the codes of all n-grams into a table, each in the slot of its n-gram."""
    tables = np.zeros((1 + len(codes), slots), dtype=np.uint8)
    tables[:, slot_of(slot_hashes, slots)] = slot_hashes >> 24, *(part.view(np.uint8) for part in codes)
    return NgramTable(*(table.tobytes() for table in tables))


def _strongest(slot_hashes: Hashes, codes: Codes) -> dict[int, float]:
    """Return the lowest and the highest weights: hash -> weight."""
    order = np.argsort(codes, kind="stable")
    return {int(slot_hashes[i]): _weight(int(codes[i])) for i in (*order[:STRONGEST], *order[-STRONGEST:])}


def _weight(code: int) -> float:
    """Return the weight of a code."""
    return code * abs(code) / WEIGHT_UNITS
