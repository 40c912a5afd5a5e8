import json
from collections import Counter, defaultdict

import pytest
from click.testing import CliRunner

from chalicelib import vocabulary
from chalicelib.encoder import Encoder
from chalicelib.ngram_features import load as load_ngram_table
from chalicelib.text import words
from cli.model.prepare import command
from training.data.excerpts import excerpts_of
from training.data.reviews import REVIEWS_NAME, DataError, Review, read, write
from training.data.splits import FOLDS, assign
from training.features.channels import channel_names, load_prepared
from training.features.ngram_weights import tenth, tenths_of
from training.features.prepare import PRESETS, Recipe, prepare

TRAIN, VALIDATION = "train/train.libsvm", "validation/validation.libsvm"
FOLD_WORDS = ("alpha", "bravo", "charlie", "delta", "echo")  # a word that all reviews of a fold have, and no others


def files(folder):
    """Return the content of all files, but for the seconds it took to make them."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    facts = json.loads(found.pop("prepared.json"))
    return {**found, "facts": {name: fact for name, fact in facts.items() if name != "seconds"}}


def lines_of(folder, channel):
    return (folder / channel).read_text().splitlines()


def without_label(lines):
    return [line.partition(" ")[2] for line in lines]


@pytest.fixture(scope="module")
def reviews(small_data):
    return list(read(small_data / REVIEWS_NAME))


@pytest.fixture(scope="module")
def splits(small_data):
    return assign(small_data / REVIEWS_NAME)


@pytest.fixture(scope="module")
def marked(small_slots, tmp_path_factory):
    """The channels of reviews whose every sentence tells its fold; the test has a word of its own, too."""
    folder = tmp_path_factory.mktemp("marked")

    def text(split, number, label):
        mark = "foxtrot" if split == "test" else FOLD_WORDS[number // 2 % 5]
        judged = ("dull", "fine")[label]
        return f"The {mark} film {number} is {judged}. So {mark} was it! {mark} it was, {judged}, and {mark}."

    write(
        folder / "data",
        (
            Review(split, number, label, None, text(split, number, label))
            for split in ("train", "test")
            for number in range(50)
            for label in (0, 1)
        ),
        "test",
    )
    prepare(folder / "data", folder / "channels", slots=small_slots)
    return folder


def test_every_line_is_what_the_app_would_send_with_evidence_that_has_not_seen_it(
    reviews, splits, small_channels, small_encoders
):
    expected = defaultdict(list)
    for review in filter(splits.learns, reviews):
        whole, crop = words(review.text), words(excerpts_of(review.id, review.text, 1)[0])
        fold, own = splits.of(review), {tenth(splits.of(review), splits.half(review))}

        def add(channel, left_out, *texts, label=review.label):
            expected[channel] += [f"{label} {small_encoders[frozenset(left_out)].row(text)}" for text in texts]

        learned_from = (whole, crop) if review.number % 2 == 0 else (whole,)
        add(f"all/{TRAIN}", own, *learned_from)
        add(f"fold-{fold}/{VALIDATION}", tenths_of(fold), whole, crop)
        for other in set(range(FOLDS)) - {fold}:
            add(f"fold-{other}/{TRAIN}", own | tenths_of(other), *learned_from)
    assert expected.keys() == set(channel_names())
    for channel in channel_names():
        assert lines_of(small_channels, channel) == expected[channel], channel


def test_the_channels_are_one_of_all_reviews_and_five_pairs(small_channels):
    assert channel_names() == [f"all/{TRAIN}", *(f"fold-{n}/{file}" for n in range(5) for file in (TRAIN, VALIDATION))]
    found = {str(path.relative_to(small_channels)) for path in small_channels.rglob("*.libsvm")}
    assert found == set(channel_names())


def test_every_second_review_brings_a_crop_to_learn_from_and_every_one_to_be_judged_on(reviews, splits, small_channels):
    count = Counter(splits.of(review) for review in reviews if splits.learns(review))
    cropped = Counter(splits.of(review) for review in reviews if splits.learns(review) and review.number % 2 == 0)
    assert len(lines_of(small_channels, f"all/{TRAIN}")) == count.total() + cropped.total() == 450
    for fold in range(FOLDS):
        others = count.total() - count[fold] + cropped.total() - cropped[fold]
        assert len(lines_of(small_channels, f"fold-{fold}/{TRAIN}")) == others
        assert len(lines_of(small_channels, f"fold-{fold}/{VALIDATION}")) == 2 * count[fold]


def test_neither_reviews_nor_crops_of_a_held_out_fold_are_learned_from(marked):
    """Every sentence has its fold's word, so every line tells by its columns whose it is."""
    known = vocabulary.load(marked / "channels" / "vocabulary.txt")
    column_of = {word: known.columns([word])[0] for word in FOLD_WORDS}

    def folds_of(channel):
        found = []
        for line in lines_of(marked / "channels", channel):
            columns = {int(field.partition(":")[0]) for field in line.split(" ")[1:]}
            (fold,) = (number for number, word in enumerate(FOLD_WORDS) if column_of[word] in columns)
            found.append(fold)
        return Counter(found)

    for fold in range(FOLDS):
        assert folds_of(f"fold-{fold}/{VALIDATION}") == {fold: 40}
        assert folds_of(f"fold-{fold}/{TRAIN}") == {other: 30 for other in range(FOLDS) if other != fold}
    assert folds_of(f"all/{TRAIN}") == dict.fromkeys(range(FOLDS), 30)


def test_a_word_of_the_test_alone_is_not_in_the_vocabulary_nor_a_term_of_the_evidence(marked):
    _, encoder = load_prepared(marked / "channels")
    assert "foxtrot" not in encoder.vocabulary
    assert "alpha" in encoder.vocabulary
    assert encoder.ngram_table.weights_by_position(["foxtrot", "foxtrot", "foxtrot"]) == [0, 0, 0]


def test_labels_of_a_held_out_fold_change_nothing_that_is_learned_from_without_it(marked, small_slots, tmp_path):
    """The held out lines themselves have other labels then, and nothing else."""
    held_out = 3
    splits = assign(marked / "data" / REVIEWS_NAME)

    def turned(review):
        flip = review.split == "train" and splits.of(review) == held_out
        return Review(review.split, review.number, 1 - review.label if flip else review.label, None, review.text)

    write(tmp_path / "data", map(turned, read(marked / "data" / REVIEWS_NAME)), "test")
    prepare(tmp_path / "data", tmp_path / "channels", slots=small_slots)
    before, after = marked / "channels", tmp_path / "channels"
    assert lines_of(after, f"fold-{held_out}/{TRAIN}") == lines_of(before, f"fold-{held_out}/{TRAIN}")
    assert lines_of(after, f"fold-{held_out}/{VALIDATION}") != lines_of(before, f"fold-{held_out}/{VALIDATION}")
    whole = [without_label(lines_of(folder, f"fold-{held_out}/{VALIDATION}"))[::2] for folder in (before, after)]
    assert sorted(whole[0]) == sorted(whole[1])  # of a pair with one number, the other label comes first now
    for other in set(range(FOLDS)) - {held_out}:
        assert lines_of(after, f"fold-{other}/{TRAIN}") != lines_of(before, f"fold-{other}/{TRAIN}")


def test_a_text_in_two_folds_is_learned_from_and_judged_in_one(small_slots, tmp_path):
    def text(number, label):
        return "zulu film, zulu" if label and number in (0, 2, 4) else f"film {number} {('dull', 'fine')[label]} zulu"

    write(
        tmp_path / "data",
        (Review("train", number, label, None, text(number, label)) for number in range(50) for label in (0, 1)),
        "test",
    )
    prepared = prepare(tmp_path / "data", tmp_path / "channels", slots=small_slots)
    assert prepared.dropped == 2
    assert prepared.rows[f"all/{TRAIN}"] == {"negative": 75, "positive": 71}


def test_every_line_has_both_constants_and_the_same_largest_index(small_channels):
    last = load_prepared(small_channels)[1].last_column
    for channel in channel_names():
        lines = lines_of(small_channels, channel)
        assert lines
        assert all(line[:6] in ("0 0:1 ", "1 0:1 ") and line.endswith(f" {last}:1") for line in lines)
        assert {max(int(field.split(":")[0]) for field in line.split(" ")[1:]) for line in lines} == {last}


def test_what_is_known_of_the_channels_is_what_they_hold(small_channels, small_learned):
    prepared, encoder = load_prepared(small_channels)
    for channel in channel_names():
        labels = Counter(line[0] for line in lines_of(small_channels, channel))
        assert prepared.rows[channel] == {"negative": labels["0"], "positive": labels["1"]}
    assert (prepared.words, prepared.terms) == (len(encoder.vocabulary), small_learned.terms)
    assert prepared.vocabulary_fingerprint == encoder.fingerprint
    assert [tuple(pair) for pair in prepared.strongest["positive"]] == small_learned.strongest["positive"]


def test_the_same_reviews_give_the_same_files(small_data, small_channels, small_slots, tmp_path):
    prepare(small_data, tmp_path, slots=small_slots)
    assert files(tmp_path) == files(small_channels)


@pytest.mark.parametrize("name", [*channel_names(), "vocabulary.txt", "evidence.bin"])
def test_a_file_of_another_preparation_is_refused(small_channels, tmp_path, name):
    for path in (each for each in small_channels.rglob("*") if each.is_file()):
        (tmp_path / path.relative_to(small_channels)).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path.relative_to(small_channels)).write_bytes(path.read_bytes())
    assert load_prepared(tmp_path)
    content = (tmp_path / name).read_bytes()
    changed = content.replace(b"horrible", b"terrible") if "voc" in name else content[:-1] + b"\x01"
    (tmp_path / name).write_bytes(changed)
    with pytest.raises(DataError, match="is not"):
        load_prepared(tmp_path)


def test_a_folder_without_channels_says_what_to_run(tmp_path):
    with pytest.raises(DataError, match="verdict prepare"):
        load_prepared(tmp_path)


def test_a_preparation_that_failed_leaves_none_to_be_taken_for_it(small_data, tmp_path):
    prepare(small_data, tmp_path / "channels", recipe=Recipe(evidence=False))
    letters = "abcdefghij"
    write(
        tmp_path / "data",
        (
            Review("train", number, label, None, f"{letters[number // 10]}{letters[number % 10]}{letters[label]}")
            for number in range(50)
            for label in (0, 1)
        ),
        "test",
    )
    with pytest.raises(DataError, match="too few to learn from"):
        prepare(tmp_path / "data", tmp_path / "channels")
    with pytest.raises(DataError, match="no prepared channels"):
        load_prepared(tmp_path / "channels")


def test_a_recipe_decides_on_words_evidence_crops_and_reviews(small_data, splits, tmp_path):
    recipe = Recipe(words=20, evidence=False, crops=False, reviews=100)
    prepared = prepare(small_data, tmp_path, recipe=recipe)
    read_back, encoder = load_prepared(tmp_path)
    assert read_back == prepared
    assert (prepared.words, prepared.terms, prepared.strongest) == (20, 0, {})
    assert (len(encoder.vocabulary), encoder.ngram_table, encoder.columns) == (20, None, 22)
    assert not (tmp_path / "evidence.bin").exists()
    assert sum(prepared.rows[f"all/{TRAIN}"].values()) == 100
    for fold in range(FOLDS):
        judged = sum(prepared.rows[f"fold-{fold}/{VALIDATION}"].values())
        assert judged + sum(prepared.rows[f"fold-{fold}/{TRAIN}"].values()) == 100
    assert prepared.dropped == len(splits.dropped) == 0


def test_the_words_are_those_in_most_reviews(reviews, splits, small_data, tmp_path):
    prepare(small_data, tmp_path, recipe=Recipe(words=10, evidence=False, crops=False))
    counts = Counter(word for review in filter(splits.learns, reviews) for word in set(words(review.text)))
    most = sorted(counts, key=lambda word: (-counts[word], word))[:10]
    assert list(vocabulary.load(tmp_path / "vocabulary.txt").terms) == sorted(most)


def test_the_tutorials_recipe_has_neither_evidence_nor_crops(small_data, small_channels, tmp_path):
    for path in ("evidence.bin", "vocabulary.txt"):  # of a preparation before
        (tmp_path / path).write_bytes((small_channels / path).read_bytes())
    prepared = prepare(small_data, tmp_path, recipe=PRESETS["tutorial"])
    assert not (tmp_path / "evidence.bin").exists()
    assert sum(prepared.rows[f"all/{TRAIN}"].values()) == 300
    assert PRESETS["tutorial"].words == 5_000
    known = load_prepared(tmp_path)[1]
    assert known.columns == len(known.vocabulary) + 2
    assert all(":1" in field for line in lines_of(tmp_path, f"all/{TRAIN}") for field in line.split(" ")[1:])


def test_what_ships_has_seen_all_reviews(small_channels, small_encoders):
    shipped = load_ngram_table(small_channels / "evidence.bin")
    assert Encoder(vocabulary.load(small_channels / "vocabulary.txt"), shipped).fingerprint == (
        small_encoders[frozenset()].fingerprint
    )


def test_the_command_says_what_was_prepared(small_data, tmp_path):
    result = CliRunner().invoke(command, ["--data", str(small_data), "--into", str(tmp_path), "--preset", "tutorial"])
    assert result.exit_code == 0, result.output
    assert "training rows, positive" in result.output
    assert load_prepared(tmp_path)[0].vocabulary_fingerprint in result.output
