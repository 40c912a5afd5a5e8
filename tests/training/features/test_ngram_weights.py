import json
import math
import random
from collections import Counter
from dataclasses import asdict, replace
from zlib import crc32

import pytest

from chalicelib.ngram_features import NGRAM_KINDS, load, ngrams
from chalicelib.text import words
from training.data.reviews import REVIEWS_NAME, DataError, Review, read, write
from training.data.splits import FOLDS, HALVES, assign
from training.features import ngram_weights
from training.features.ngram_weights import LEAST_REVIEWS, learn, left_out_sets, tenth, tenths_of

TENTHS = range(FOLDS * HALVES)
FLIPPED = 5  # the tenth whose reviews are changed in some of these tests
NOT_SETTLED = pytest.mark.filterwarnings("ignore:lbfgs failed to converge")  # on labels that contradict the words


def hash_of(term):
    return crc32(f"{term} ".encode())


def bytes_of(tables):
    return {left_out: table.dumps() for left_out, table in tables.items()}


def code_of(table, codes, term):
    """Return the signed code that a table holds of a term."""
    (slot,) = table.slots([hash_of(term)])
    assert slot, f"{term!r} is not in the table"
    return (codes[slot] + 128) % 256 - 128


def tenth_of(splits, review):
    return tenth(splits.of(review), splits.half(review)) if splits.learns(review) else None


def relabelled(path, splits, tenths, into):
    """Write the same reviews in the same order, with the labels of these tenths turned round."""
    with into.open("w", encoding="utf-8") as file:
        for review in read(path):
            turned = replace(review, label=1 - review.label) if tenth_of(splits, review) in tenths else review
            file.write(json.dumps(asdict(turned), ensure_ascii=False) + "\n")
    return into


@pytest.fixture(scope="module")
def path(small_data):
    return small_data / REVIEWS_NAME


@pytest.fixture(scope="module")
def splits(path):
    whole = assign(path)
    assert not whole.dropped  # so that ids, which name labels, can be changed
    return whole


@pytest.fixture(scope="module")
def one_tenth_turned(path, splits, small_slots, tmp_path_factory):
    turned = relabelled(path, splits, {FLIPPED}, tmp_path_factory.mktemp("turned") / "reviews.jsonl")
    return learn(turned, splits, slots=small_slots).tables


@pytest.fixture(scope="module")
def all_turned(path, splits, small_slots, tmp_path_factory):
    turned = relabelled(path, splits, TENTHS, tmp_path_factory.mktemp("turned") / "reviews.jsonl")
    return learn(turned, splits, slots=small_slots)


def test_a_table_is_learned_without_nothing_each_tenth_each_fold_and_each_fold_and_tenth():
    folds = [{2 * fold, 2 * fold + 1} for fold in range(5)]
    wanted = {
        frozenset(),
        *(frozenset({one}) for one in range(10)),
        *(frozenset(fold | {one}) for fold in folds for one in range(10)),
    }
    assert len(left_out_sets()) == 56
    assert set(left_out_sets()) == wanted
    assert left_out_sets()[0] == frozenset()
    assert [tenths_of(fold) for fold in range(FOLDS)] == folds


def test_there_is_a_table_for_every_set(small_learned):
    assert list(small_learned.tables) == left_out_sets()


@NOT_SETTLED
def test_labels_of_a_tenth_that_is_left_out_change_not_one_byte(small_learned, one_tenth_turned):
    before, after = bytes_of(small_learned.tables), bytes_of(one_tenth_turned)
    same = {left_out for left_out in before if before[left_out] == after[left_out]}
    assert same == {left_out for left_out in before if FLIPPED in left_out}


@NOT_SETTLED
def test_labels_of_a_tenth_that_is_learned_from_change_both_weights(small_learned, one_tenth_turned):
    for left_out, before in small_learned.tables.items():
        after = one_tenth_turned[left_out]
        assert (
            (before.learned_weights != after.learned_weights)
            == (before.log_count_ratios != after.log_count_ratios)
            == (FLIPPED not in left_out)
        )


def test_neither_the_test_nor_a_left_out_review_gives_a_weight_to_a_term(
    path, splits, small_slots, tmp_path, monkeypatch
):
    """Both say other things here, of terms that all know: only the tables that have seen them can tell."""
    monkeypatch.setattr(
        ngram_weights, "left_out_sets", lambda: [frozenset(), frozenset({FLIPPED})]
    )  # the others take time

    def changed(turn):
        for review in read(path):
            aside = tenth_of(splits, review) in (None, FLIPPED)
            yield replace(review, text=turn(review.text)) if aside else review

    tables = []
    for number, turn in enumerate((str.upper, lambda text: " ".join(reversed(text.split(" "))))):
        write(tmp_path / str(number), changed(turn), "test")
        tables.append(learn(tmp_path / str(number) / REVIEWS_NAME, splits, slots=small_slots).tables)
    before, after = (found[frozenset({FLIPPED})] for found in tables)
    for term in ("is wonderful", "horrible", "not ... good", "waste of time"):
        assert code_of(before, before.log_count_ratios, term) == pytest.approx(
            code_of(after, after.log_count_ratios, term), abs=2
        )
    assert tables[0][frozenset()].learned_weights != tables[1][frozenset()].learned_weights


def test_terms_are_chosen_whatever_the_labels(small_learned, all_turned):
    checks = {table.checks for learned in (small_learned, all_turned) for table in learned.tables.values()}
    assert len(checks) == 1
    assert all_turned.terms == small_learned.terms


def test_with_all_labels_turned_round_every_ratio_is_too(small_learned, all_turned):
    ours, theirs = (learned.tables[frozenset()].log_count_ratios for learned in (small_learned, all_turned))
    assert ours == bytes(-code % 256 for code in theirs)


def test_the_table_that_has_seen_every_fold_is_what_ships(small_learned, small_channels):
    assert (small_channels / "evidence.bin").read_bytes() == small_learned.tables[frozenset()].dumps()
    assert load(small_channels / "evidence.bin").sha256 == small_learned.tables[frozenset()].sha256


def test_the_same_reviews_give_the_same_tables_in_one_process_or_several(
    path, splits, small_learned, small_slots, monkeypatch
):
    monkeypatch.setattr(ngram_weights, "_FEW_REVIEWS", 0)
    ticks = []
    again = learn(path, splits, fit_tick=lambda done, total, _: ticks.append((done, total)), slots=small_slots)
    assert bytes_of(again.tables) == bytes_of(small_learned.tables)
    assert (again.terms, again.strongest) == (small_learned.terms, small_learned.strongest)
    assert ticks == [(done, 56) for done in range(57)]


def test_a_term_of_too_few_reviews_is_not_in_the_table(tmp_path, monkeypatch):
    """Two terms of each kind: one in as many reviews as it takes, one in a review less."""
    monkeypatch.setattr(ngram_weights, "left_out_sets", lambda: [frozenset()])
    texts = {  # kind -> what is written of the two terms, and their names; {} is another word in every review
        "words": (("lonely", "lonely"), ("single", "single")),
        "pairs": (("quite nice", "quite nice"), ("rather nice", "rather nice")),
        "triples": (("one two three", "one two three"), ("four five six", "four five six")),
        "gaps": (("so {} good", "so * good"), ("too {} good", "too * good")),
        "negated": (("hardly {} fun", "not ... fun"), ("hardly {} joy", "not ... joy")),
    }
    assert texts.keys() == LEAST_REVIEWS.keys() == set(NGRAM_KINDS)
    parts_of = [[] for _ in range(50)]
    for kind, (enough, too_few) in texts.items():
        for number in range(LEAST_REVIEWS[kind]):
            parts_of[number] += [enough[0], too_few[0]] if number else [enough[0]]

    def review(number, label):
        letters = f"{'np'[label]}{'abcde'[number // 10]}{'abcdefghij'[number % 10]}"  # no other review has them
        parts = ["film", *parts_of[number]] if label else ["film"]
        text = " ".join(f"{part.format(f'a{letters}{i}')} z{letters}{i}" for i, part in enumerate(parts))
        return Review("train", number, label, None, text.translate(str.maketrans("0123456789", "qrstuvwxyz")))

    write(tmp_path, [review(number, label) for number in range(50) for label in (0, 1)], "test")
    path = tmp_path / REVIEWS_NAME
    counts = Counter(
        term for each in read(path) for term in {term for kind in ngrams(words(each.text)) for term in kind}
    )
    table = learn(path, assign(path), slots=1 << 16).tables[frozenset()]
    for kind, ((_, enough), (_, too_few)) in texts.items():
        assert (counts[enough], counts[too_few]) == (LEAST_REVIEWS[kind], LEAST_REVIEWS[kind] - 1)
        assert table.slots([hash_of(enough)]) != [0], enough
        assert table.slots([hash_of(too_few)]) == [0], too_few


def test_reviews_that_share_no_term_are_refused(tmp_path):
    chance = random.Random(1)

    def reviews():
        for number in range(50):
            for label in (0, 1):
                yield Review("train", number, label, None, "".join(chance.choices("abcdefghijklmnop", k=20)))

    write(tmp_path, reviews(), "test")
    path = tmp_path / REVIEWS_NAME
    with pytest.raises(DataError, match="too few to learn from"):
        learn(path, assign(path), slots=1 << 12)


def test_weights_speak_for_the_label_whose_reviews_hold_the_terms(small_learned):
    for table in small_learned.tables.values():
        good, bad = (sum(table.weights_by_position(["the", "film", "is", word])) for word in ("wonderful", "horrible"))
        assert good > 0 > bad
        assert (
            code_of(table, table.log_count_ratios, "is wonderful")
            > 0
            > code_of(table, table.log_count_ratios, "is horrible")
        )
        assert (
            code_of(table, table.log_count_ratios, "not bad")
            > 0
            > code_of(table, table.log_count_ratios, "not ... good")
        )


def test_a_ratio_is_that_of_shares_of_the_terms_of_each_label(path, splits, small_learned):
    """Counted here by hand, over every term that the table holds; a code is exact to half a step."""
    table = small_learned.tables[frozenset()]
    counts = [dict.fromkeys(("is wonderful", "the film", "horrible"), 0), {}]
    totals = [0, 0]
    counts[1].update(counts[0])
    for review in filter(splits.learns, read(path)):
        found = {term for kind in ngrams(words(review.text)) for term in kind}
        held = {slot for slot in table.slots([hash_of(term) for term in found]) if slot and holds(table, slot)}
        totals[review.label] += len(held)
        for term in found & counts[0].keys():
            counts[review.label][term] += 1
    for term in counts[0]:
        shares = [(counts[label][term] + 1) / (totals[label] + small_learned.terms) for label in (0, 1)]
        ratio = math.log(shares[1] / shares[0])
        expected = math.copysign(round(math.sqrt(abs(ratio) * 2_000)), ratio)
        assert code_of(table, table.log_count_ratios, term) == expected


def holds(table, slot):
    """Tell whether any term is in a slot: an empty one is all 0."""
    return table.checks[slot] or table.learned_weights[slot] or table.log_count_ratios[slot]


def test_the_strongest_terms_are_real_ones_with_the_weights_that_ship(path, splits, small_learned):
    found = {
        term for review in filter(splits.learns, read(path)) for kind in ngrams(words(review.text)) for term in kind
    }
    table = small_learned.tables[frozenset()]
    assert small_learned.strongest.keys() == {"negative", "positive"}
    for label, pairs in small_learned.strongest.items():
        assert pairs
        assert {term for term, _ in pairs} <= found
        for term, weight in pairs:
            code = code_of(table, table.learned_weights, term)
            assert weight == code * abs(code) / 200
            assert (weight > 0) == (label == "positive")
        sizes = [abs(weight) for _, weight in pairs]
        assert sizes == sorted(sizes, reverse=True)


def test_no_term_says_more_than_the_strongest(small_learned):
    table = small_learned.tables[frozenset()]
    codes = [(code + 128) % 256 - 128 for code in table.learned_weights]
    loudest = {"negative": min(codes), "positive": max(codes)}
    for label, code in loudest.items():
        assert small_learned.strongest[label][0][1] == code * abs(code) / 200
