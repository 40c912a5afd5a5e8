import json
import math
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

from chalicelib.ngram_features import CENTRE, COLUMNS, NgramTable, load
from chalicelib.ngrams import NGRAM_KINDS, ngrams
from chalicelib.text import words
from training.data.excerpts import excerpts_of
from training.data.reviews import REVIEWS_NAME, DataError, Review, read, write
from training.data.splits import TENTHS, LeftOut, Splits, assign
from training.features import ngram_weights
from training.features.channels import load_prepared
from training.features.extract import extract
from training.features.hashed_columns import HashedColumns
from training.features.hashed_texts import KINDS_OF_TEXT, HashedTexts
from training.features.ngram_weights import MIN_TEXTS, LearnedWeights, choose_ngrams, learn_weights, left_out_sets
from training.project import ROOT

FLIPPED = 5  # the tenth whose reviews some of these tests change


def learn(folder: Path, splits: Splits, slots: int) -> LearnedWeights:
    return learn_weights(extract(folder, splits).hashed, slots=slots)


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
    """Write the same reviews in the same order into a folder, with the labels of some tenths flipped."""
    with (into / REVIEWS_NAME).open("w", encoding="utf-8") as file:
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
    into = tmp_path_factory.mktemp("flipped")
    return learn(with_flipped_labels(path, splits, {FLIPPED}, into), splits, small_slots).tables


@pytest.fixture(scope="module")
def all_flipped(
    path: Path, splits: Splits, small_slots: int, tmp_path_factory: pytest.TempPathFactory
) -> LearnedWeights:
    into = tmp_path_factory.mktemp("flipped")
    return learn(with_flipped_labels(path, splits, range(TENTHS), into), splits, small_slots)


def test_tables_leave_out_nothing_or_a_tenth() -> None:
    assert left_out_sets() == [None, *range(10)]


def test_there_is_a_table_for_every_set(small_learned: LearnedWeights) -> None:
    assert list(small_learned.tables) == left_out_sets()


def test_the_most_frequent_ngram_of_each_slot_is_chosen() -> None:
    """Compare with the plain form: for each slot the largest (count, hash), over reviews and sentences."""
    generator = np.random.default_rng(1)
    sources = [KINDS_OF_TEXT.index(name) for name in ("review", "sentence", "excerpt", "review")]
    texts: list[tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint8], int]] = []
    counts = [Counter[int]() for _ in NGRAM_KINDS]
    for number in range(60):
        hashes = np.unique(generator.integers(0, 1_000, 100, dtype=np.uint32))
        kinds = (hashes // 200).astype(np.uint8)
        texts.append((hashes, kinds, sources[number % 4]))
        if number % 4 != 2:
            for hashed, kind in zip(hashes.tolist(), kinds.tolist(), strict=True):
                counts[kind][hashed] += 1
    best: dict[int, tuple[int, int]] = {}
    for name, count_of in zip(NGRAM_KINDS, counts, strict=True):
        for hashed, count in count_of.items():
            if count >= MIN_TEXTS[name] and hashed % 64:
                best[hashed % 64] = max(best.get(hashed % 64, (0, 0)), (count, hashed))
    columns = HashedColumns()
    hashed_texts = HashedTexts(
        hashes=np.concatenate([hashes for hashes, _, _ in texts]),
        kinds=np.concatenate([kinds for _, kinds, _ in texts]),
        inside=np.zeros(sum(len(hashes) for hashes, _, _ in texts), np.bool_),
        lengths=np.array([len(hashes) for hashes, _, _ in texts]),
        sources=np.array([source for _, _, source in texts], dtype=np.uint8),
    )
    columns.add(hashed_texts)
    assert choose_ngrams(columns, slots=64).tolist() == [best[slot][1] for slot in sorted(best)]


def test_labels_of_a_left_out_tenth_change_no_byte_of_a_table(
    small_learned: LearnedWeights, one_tenth_flipped: Mapping[LeftOut, NgramTable]
) -> None:
    before, after = bytes_of(small_learned.tables), bytes_of(one_tenth_flipped)
    assert {left_out for left_out in before if before[left_out] == after[left_out]} == {FLIPPED}


def test_labels_of_an_included_tenth_change_every_number(
    small_learned: LearnedWeights, one_tenth_flipped: Mapping[LeftOut, NgramTable]
) -> None:
    for left_out, before in small_learned.tables.items():
        after, changed = one_tenth_flipped[left_out], left_out != FLIPPED
        assert (before.review_weights != after.review_weights) == changed
        assert (before.sentence_weights != after.sentence_weights) == changed
        assert (before.log_count_ratios != after.log_count_ratios) == changed


def test_test_reviews_and_left_out_reviews_do_not_affect_weights(
    path: Path, splits: Splits, small_slots: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Change the text of both: only tables that include the changed reviews differ."""
    monkeypatch.setattr(ngram_weights, "left_out_sets", lambda: [None, FLIPPED])  # the others take time

    def changed(change: Callable[[str], str]) -> Iterator[Review]:
        for review in read(path):
            is_changed = tenth_of(splits, review) in (None, FLIPPED)
            yield replace(review, text=change(review.text)) if is_changed else review

    tables = []
    for number, change in enumerate((str.upper, lambda text: " ".join(reversed(text.split(" "))))):
        write(tmp_path / str(number), changed(change), "test")
        tables.append(learn(tmp_path / str(number), splits, small_slots).tables)
    before, after = (found[FLIPPED] for found in tables)
    for ngram in ("is wonderful", "horrible", "not ... good", "waste of time"):
        assert ratio_of(before, ngram) == pytest.approx(ratio_of(after, ngram), abs=2)
    assert tables[0][None].review_weights != tables[1][None].review_weights


def test_ngrams_are_chosen_whatever_the_labels(small_learned: LearnedWeights, all_flipped: LearnedWeights) -> None:
    checks = {table.checks for learned in (small_learned, all_flipped) for table in learned.tables.values()}
    assert len(checks) == 1
    assert all_flipped.ngrams == small_learned.ngrams


def test_flipping_all_labels_negates_the_ratios(small_learned: LearnedWeights, all_flipped: LearnedWeights) -> None:
    """Nearly: a review's label is in its id, which its excerpts are drawn by."""
    ours, theirs = (learned.tables[None] for learned in (small_learned, all_flipped))
    for ngram in ("is wonderful", "horrible", "waste of time"):
        assert ratio_of(ours, ngram) == pytest.approx(-ratio_of(theirs, ngram), abs=3)


def test_the_released_table_is_learned_from_every_fold(small_learned: LearnedWeights, small_channels: Path) -> None:
    assert (small_channels / "evidence.bin").read_bytes() == small_learned.tables[None].dumps()
    assert load(small_channels / "evidence.bin").sha256 == small_learned.tables[None].sha256


def test_one_process_and_several_learn_the_same_tables(
    path: Path, splits: Splits, small_learned: LearnedWeights, small_slots: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ngram_weights, "_FEW_TEXTS", 0)
    ticks: list[tuple[int, int]] = []
    hashed = extract(path.parent, splits).hashed
    again = learn_weights(hashed, lambda done, total, _: ticks.append((done, total)), small_slots)
    assert bytes_of(again.tables) == bytes_of(small_learned.tables)
    assert (again.ngrams, again.strongest) == (small_learned.ngrams, small_learned.strongest)
    assert len(ticks) > 20
    assert [done for done, _ in ticks] == sorted(done for done, _ in ticks)
    assert ticks[-1][0] <= ticks[-1][1]


def test_an_older_processor_learns_the_same_tables(
    small_data: Path, small_channels: Path, small_slots: int, tmp_path: Path
) -> None:
    prepare = (
        "import sys; from pathlib import Path; from training.features.prepare import prepare; "
        "prepare(Path(sys.argv[1]), Path(sys.argv[2]), slots=int(sys.argv[3]))"
    )
    faster = [name for name in __cpu_dispatch__ if __cpu_features__[name]]
    older = {"NPY_DISABLE_CPU_FEATURES": " ".join(faster), "OPENBLAS_CORETYPE": "Prescott"}
    command = [sys.executable, "-c", prepare, str(small_data), str(tmp_path), str(small_slots)]
    subprocess.run(command, env=os.environ | older, cwd=ROOT, check=True)
    names = ("evidence.bin", "all/train/train.libsvm")
    assert [(tmp_path / name).read_bytes() for name in names] == [
        (small_channels / name).read_bytes() for name in names
    ]


def test_an_ngram_in_too_few_reviews_is_not_in_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write two n-grams of each kind: the first into just enough reviews, the second into one review less."""
    monkeypatch.setattr(ngram_weights, "left_out_sets", lambda: [None])
    texts = {  # kind -> the text and the name of the two n-grams; {} is a different word in every review
        "words": (("lonely", "lonely"), ("single", "single")),
        "pairs": (("quite nice", "quite nice"), ("rather nice", "rather nice")),
        "triples": (("one two three", "one two three"), ("four five six", "four five six")),
        "gaps": (("so {} good", "so * good"), ("too {} good", "too * good")),
        "negated": (("hardly {} fun", "not ... fun"), ("hardly {} joy", "not ... joy")),
    }
    assert texts.keys() == MIN_TEXTS.keys() == set(NGRAM_KINDS)
    parts_of: list[list[str]] = [[] for _ in range(50)]
    for kind, (enough, too_few) in texts.items():
        for number in range(MIN_TEXTS[kind]):
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
    table = learn(tmp_path, assign(path), 1 << 16).tables[None]
    for kind, ((_, enough), (_, too_few)) in texts.items():
        assert (counts[enough], counts[too_few]) == (MIN_TEXTS[kind], MIN_TEXTS[kind] - 1)
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
        learn(tmp_path, assign(path), 1 << 12)


def test_weights_point_to_the_label_of_the_reviews_with_the_ngrams(small_learned: LearnedWeights) -> None:
    for table in small_learned.tables.values():
        good, bad = (table.columns(["the", "film", "is", word]) for word in ("wonderful", "horrible"))
        for name in ("review weights, all", "sentence weights, all", "log-count ratios, all"):
            assert good[COLUMNS.index(name)] > CENTRE > bad[COLUMNS.index(name)]


def test_a_ratio_compares_the_shares_of_an_ngram_in_each_label(
    path: Path, splits: Splits, small_learned: LearnedWeights
) -> None:
    """Count by hand, over every n-gram in the table, an excerpt as a tenth; a code is exact to half a step."""
    table = small_learned.tables[None]
    observed = ("is wonderful", "the film", "horrible")
    counts = [dict.fromkeys(observed, 0.0), dict.fromkeys(observed, 0.0)]
    totals = [0.0, 0.0]
    for review in filter(splits.is_training, read(path)):
        for text, weight in ((review.text, 1), *((each, 0.1) for each in excerpts_of(review.id, review.text, 3))):
            found = {ngram for kind in ngrams(words(text)) for ngram in kind}
            known = {slot for slot in table.slots([hash_of(each) for each in found]) if slot and is_used(table, slot)}
            totals[review.label] += weight * len(known)
            for ngram in found.intersection(observed):
                counts[review.label][ngram] += weight
    for ngram in observed:
        shares = [(counts[label][ngram] + 1) / (totals[label] + small_learned.ngrams) for label in (0, 1)]
        ratio = math.log(shares[1] / shares[0])
        assert ratio_of(table, ngram) == math.copysign(round(math.sqrt(abs(ratio) * 2_000)), ratio)


def is_used(table: NgramTable, slot: int) -> bool:
    """Return whether a slot has an n-gram: an empty slot is all 0."""
    return any(part[slot] for part in (table.checks, table.review_weights, table.log_count_ratios))


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
            code = code_of(table, table.review_weights, ngram)
            assert weight == code * abs(code) / 200
            assert (weight > 0) == (label == "positive")
        sizes = [abs(weight) for _, weight in pairs]
        assert sizes == sorted(sizes, reverse=True)


def test_no_weight_exceeds_the_strongest(small_channels: Path) -> None:
    prepared, encoder = load_prepared(small_channels)
    codes = [(code + 128) % 256 - 128 for code in encoder.ngram_table.review_weights]
    for label, code in {"negative": min(codes), "positive": max(codes)}.items():
        assert prepared.strongest[label][0][1] == code * abs(code) / 200
