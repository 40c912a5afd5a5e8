import json
import math
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest

from chalicelib.ngram_features import NGRAM_KINDS, NgramTable, load, ngrams
from chalicelib.text import words
from training.data.reviews import REVIEWS_NAME, DataError, Review, read, write
from training.data.splits import FOLDS, TENTHS, LeftOut, Splits, assign, tenths_of
from training.features import ngram_weights
from training.features.channels import load_prepared
from training.features.extract import extract
from training.features.ngram_weights import MIN_REVIEWS, LearnedWeights, choose_ngrams, learn_weights, left_out_sets

FLIPPED = 5  # the tenth whose reviews some of these tests change
MAY_NOT_CONVERGE = pytest.mark.filterwarnings("ignore:lbfgs failed to converge")  # if labels contradict the words


def learn(path: Path, splits: Splits, slots: int) -> LearnedWeights:
    return learn_weights(extract(path, splits).hashed, slots=slots)


def hash_of(ngram: str) -> int:
    return crc32(f"{ngram} ".encode())


def bytes_of(tables: Mapping[LeftOut, NgramTable]) -> dict[LeftOut, bytes]:
    return {left_out: table.dumps() for left_out, table in tables.items()}


def code_of(table: NgramTable, codes: bytes, ngram: str) -> int:
    """Return the signed code of an n-gram in a table."""
    (slot,) = table.slots([hash_of(ngram)])
    assert slot, f"{ngram!r} is not in the table"
    return (codes[slot] + 128) % 256 - 128


def ratio_of(table: NgramTable, ngram: str) -> int:
    """Return the code of an n-gram's log-count ratio."""
    return code_of(table, table.log_count_ratios, ngram)


def tenth_of(splits: Splits, review: Review) -> int | None:
    return splits.tenth_of(review) if splits.is_training(review) else None


def with_flipped_labels(path: Path, splits: Splits, tenths: Collection[int], into: Path) -> Path:
    """Write the same reviews in the same order, with the labels of some tenths flipped."""
    with into.open("w", encoding="utf-8") as file:
        for review in read(path):
            flipped = replace(review, label=1 - review.label) if tenth_of(splits, review) in tenths else review
            file.write(json.dumps(asdict(flipped), ensure_ascii=False) + "\n")
    return into


@pytest.fixture(scope="module")
def path(small_data: Path) -> Path:
    return small_data / REVIEWS_NAME


@pytest.fixture(scope="module")
def splits(path: Path) -> Splits:
    whole = assign(path)
    assert not whole.duplicates  # an id contains the label, so flipped labels would change them
    return whole


@pytest.fixture(scope="module")
def one_tenth_flipped(
    path: Path, splits: Splits, small_slots: int, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[LeftOut, NgramTable]:
    into = tmp_path_factory.mktemp("flipped") / "reviews.jsonl"
    return learn(with_flipped_labels(path, splits, {FLIPPED}, into), splits, small_slots).tables


@pytest.fixture(scope="module")
def all_flipped(
    path: Path, splits: Splits, small_slots: int, tmp_path_factory: pytest.TempPathFactory
) -> LearnedWeights:
    into = tmp_path_factory.mktemp("flipped") / "reviews.jsonl"
    return learn(with_flipped_labels(path, splits, range(TENTHS), into), splits, small_slots)


def test_tables_leave_out_each_tenth_each_fold_and_each_fold_with_a_tenth() -> None:
    folds = [{2 * fold, 2 * fold + 1} for fold in range(5)]
    wanted = {
        frozenset(),
        *(frozenset({tenth}) for tenth in range(10)),
        *(frozenset(fold | {tenth}) for fold in folds for tenth in range(10)),
    }
    assert len(left_out_sets()) == 56
    assert set(left_out_sets()) == wanted
    assert left_out_sets()[0] == frozenset()
    assert [tenths_of(fold) for fold in range(FOLDS)] == folds


def test_there_is_a_table_for_every_set(small_learned: LearnedWeights) -> None:
    assert list(small_learned.tables) == left_out_sets()


def test_the_most_frequent_ngram_of_each_slot_is_chosen() -> None:
    """Compare with the plain form: for each slot the largest (count, hash)."""
    generator = np.random.default_rng(1)
    reviews = [[np.unique(generator.integers(0, 200, 20, dtype=np.uint32)) for _ in NGRAM_KINDS] for _ in range(40)]
    reviews = [[hashes + np.uint32(1000 * kind) for kind, hashes in enumerate(review)] for review in reviews]
    best: dict[int, tuple[int, int]] = {}
    for kind, name in enumerate(NGRAM_KINDS):
        for hashed, count in Counter(int(h) for review in reviews for h in review[kind]).items():
            if count >= MIN_REVIEWS[name] and hashed % 64:
                best[hashed % 64] = max(best.get(hashed % 64, (0, 0)), (count, hashed))
    assert choose_ngrams(reviews, slots=64).tolist() == [best[slot][1] for slot in sorted(best)]


@MAY_NOT_CONVERGE
def test_labels_of_a_left_out_tenth_change_no_byte_of_a_table(
    small_learned: LearnedWeights, one_tenth_flipped: Mapping[LeftOut, NgramTable]
) -> None:
    before, after = bytes_of(small_learned.tables), bytes_of(one_tenth_flipped)
    same = {left_out for left_out in before if before[left_out] == after[left_out]}
    assert same == {left_out for left_out in before if FLIPPED in left_out}


@MAY_NOT_CONVERGE
def test_labels_of_an_included_tenth_change_both_weights(
    small_learned: LearnedWeights, one_tenth_flipped: Mapping[LeftOut, NgramTable]
) -> None:
    for left_out, before in small_learned.tables.items():
        after = one_tenth_flipped[left_out]
        assert (
            (before.learned_weights != after.learned_weights)
            == (before.log_count_ratios != after.log_count_ratios)
            == (FLIPPED not in left_out)
        )


def test_test_reviews_and_left_out_reviews_do_not_affect_weights(
    path: Path, splits: Splits, small_slots: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Change the text of both: only tables that include the changed reviews differ."""
    monkeypatch.setattr(
        ngram_weights, "left_out_sets", lambda: [frozenset(), frozenset({FLIPPED})]
    )  # the others take time

    def changed(change: Callable[[str], str]) -> Iterator[Review]:
        for review in read(path):
            is_changed = tenth_of(splits, review) in (None, FLIPPED)
            yield replace(review, text=change(review.text)) if is_changed else review

    tables = []
    for number, change in enumerate((str.upper, lambda text: " ".join(reversed(text.split(" "))))):
        write(tmp_path / str(number), changed(change), "test")
        tables.append(learn(tmp_path / str(number) / REVIEWS_NAME, splits, small_slots).tables)
    before, after = (found[frozenset({FLIPPED})] for found in tables)
    for ngram in ("is wonderful", "horrible", "not ... good", "waste of time"):
        assert ratio_of(before, ngram) == pytest.approx(ratio_of(after, ngram), abs=2)
    assert tables[0][frozenset()].learned_weights != tables[1][frozenset()].learned_weights


def test_ngrams_are_chosen_whatever_the_labels(small_learned: LearnedWeights, all_flipped: LearnedWeights) -> None:
    checks = {table.checks for learned in (small_learned, all_flipped) for table in learned.tables.values()}
    assert len(checks) == 1
    assert all_flipped.ngrams == small_learned.ngrams


def test_flipping_all_labels_negates_every_ratio(small_learned: LearnedWeights, all_flipped: LearnedWeights) -> None:
    ours, theirs = (learned.tables[frozenset()].log_count_ratios for learned in (small_learned, all_flipped))
    assert ours == bytes(-code % 256 for code in theirs)


def test_the_released_table_is_learned_from_every_fold(small_learned: LearnedWeights, small_channels: Path) -> None:
    assert (small_channels / "evidence.bin").read_bytes() == small_learned.tables[frozenset()].dumps()
    assert load(small_channels / "evidence.bin").sha256 == small_learned.tables[frozenset()].sha256


def test_one_process_and_several_learn_the_same_tables(
    path: Path, splits: Splits, small_learned: LearnedWeights, small_slots: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ngram_weights, "_FEW_REVIEWS", 0)
    ticks: list[tuple[int, int]] = []
    hashed = extract(path, splits).hashed
    again = learn_weights(hashed, lambda done, total, _: ticks.append((done, total)), small_slots)
    assert bytes_of(again.tables) == bytes_of(small_learned.tables)
    assert (again.ngrams, again.strongest) == (small_learned.ngrams, small_learned.strongest)
    assert ticks == [(done, 56) for done in range(57)]


def test_an_ngram_in_too_few_reviews_is_not_in_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write two n-grams of each kind: the first into just enough reviews, the second into one review less."""
    monkeypatch.setattr(ngram_weights, "left_out_sets", lambda: [frozenset()])
    texts = {  # kind -> the text and the name of the two n-grams; {} is a different word in every review
        "words": (("lonely", "lonely"), ("single", "single")),
        "pairs": (("quite nice", "quite nice"), ("rather nice", "rather nice")),
        "triples": (("one two three", "one two three"), ("four five six", "four five six")),
        "gaps": (("so {} good", "so * good"), ("too {} good", "too * good")),
        "negated": (("hardly {} fun", "not ... fun"), ("hardly {} joy", "not ... joy")),
    }
    assert texts.keys() == MIN_REVIEWS.keys() == set(NGRAM_KINDS)
    parts_of: list[list[str]] = [[] for _ in range(50)]
    for kind, (enough, too_few) in texts.items():
        for number in range(MIN_REVIEWS[kind]):
            parts_of[number] += [enough[0], too_few[0]] if number else [enough[0]]

    def review(number: int, label: int) -> Review:
        letters = f"{'np'[label]}{'abcde'[number // 10]}{'abcdefghij'[number % 10]}"  # in no other review
        parts = ["film", *parts_of[number]] if label else ["film"]
        text = " ".join(f"{part.format(f'a{letters}{i}')} z{letters}{i}" for i, part in enumerate(parts))
        return Review("train", number, label, None, text.translate(str.maketrans("0123456789", "qrstuvwxyz")))

    write(tmp_path, [review(number, label) for number in range(50) for label in (0, 1)], "test")
    path = tmp_path / REVIEWS_NAME
    counts = Counter(
        ngram for each in read(path) for ngram in {ngram for kind in ngrams(words(each.text)) for ngram in kind}
    )
    table = learn(path, assign(path), 1 << 16).tables[frozenset()]
    for kind, ((_, enough), (_, too_few)) in texts.items():
        assert (counts[enough], counts[too_few]) == (MIN_REVIEWS[kind], MIN_REVIEWS[kind] - 1)
        assert table.slots([hash_of(enough)]) != [0], enough
        assert table.slots([hash_of(too_few)]) == [0], too_few


def test_reviews_that_share_no_ngram_are_refused(tmp_path: Path) -> None:
    generator = random.Random(1)
    reviews = [
        Review("train", number, label, None, "".join(generator.choices("abcdefghijklmnop", k=20)))
        for number in range(50)
        for label in (0, 1)
    ]
    write(tmp_path, reviews, "test")
    path = tmp_path / REVIEWS_NAME
    with pytest.raises(DataError, match="No n-gram"):
        learn(path, assign(path), 1 << 12)


def test_weights_point_to_the_label_of_the_reviews_with_the_ngram(small_learned: LearnedWeights) -> None:
    for table in small_learned.tables.values():
        good, bad = (sum(table.weights_by_position(["the", "film", "is", word])) for word in ("wonderful", "horrible"))
        assert good > 0 > bad
        assert ratio_of(table, "is wonderful") > 0 > ratio_of(table, "is horrible")
        assert ratio_of(table, "not bad") > 0 > ratio_of(table, "not ... good")


def test_a_ratio_compares_the_shares_of_an_ngram_in_each_label(
    path: Path, splits: Splits, small_learned: LearnedWeights
) -> None:
    """Count by hand, over every n-gram in the table; a code is exact to half a step."""
    table = small_learned.tables[frozenset()]
    observed = ("is wonderful", "the film", "horrible")
    counts = [dict.fromkeys(observed, 0), dict.fromkeys(observed, 0)]
    totals = [0, 0]
    for review in filter(splits.is_training, read(path)):
        found = {ngram for kind in ngrams(words(review.text)) for ngram in kind}
        known = {slot for slot in table.slots([hash_of(ngram) for ngram in found]) if slot and is_used(table, slot)}
        totals[review.label] += len(known)
        for ngram in found.intersection(observed):
            counts[review.label][ngram] += 1
    for ngram in observed:
        shares = [(counts[label][ngram] + 1) / (totals[label] + small_learned.ngrams) for label in (0, 1)]
        ratio = math.log(shares[1] / shares[0])
        assert ratio_of(table, ngram) == math.copysign(round(math.sqrt(abs(ratio) * 2_000)), ratio)


def is_used(table: NgramTable, slot: int) -> bool:
    """Return whether a slot has an n-gram: an empty slot is all 0."""
    return any(part[slot] for part in (table.checks, table.learned_weights, table.log_count_ratios))


def test_the_strongest_ngrams_have_the_weights_of_the_released_table(
    path: Path, splits: Splits, small_channels: Path
) -> None:
    reviews = filter(splits.is_training, read(path))
    found = {ngram for review in reviews for kind in ngrams(words(review.text)) for ngram in kind}
    prepared, encoder = load_prepared(small_channels)
    table = encoder.ngram_table
    assert prepared.strongest.keys() == {"negative", "positive"}
    for label, pairs in prepared.strongest.items():
        assert pairs
        assert {ngram for ngram, _ in pairs} <= found
        for ngram, weight in pairs:
            code = code_of(table, table.learned_weights, ngram)
            assert weight == code * abs(code) / 200
            assert (weight > 0) == (label == "positive")
        sizes = [abs(weight) for _, weight in pairs]
        assert sizes == sorted(sizes, reverse=True)


def test_no_weight_exceeds_the_strongest(small_channels: Path) -> None:
    prepared, encoder = load_prepared(small_channels)
    codes = [(code + 128) % 256 - 128 for code in encoder.ngram_table.learned_weights]
    for label, code in {"negative": min(codes), "positive": max(codes)}.items():
        assert prepared.strongest[label][0][1] == code * abs(code) / 200
