import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from chalicelib import vocabulary
from chalicelib.encoder import Encoder
from chalicelib.ngram_features import load as load_ngram_table
from chalicelib.release import Release, load
from chalicelib.sentiment import encode_review
from chalicelib.text import MAX_REVIEW_LENGTH, words
from cli.model.prepare import command
from training.data.collect import collect_generated
from training.data.excerpts import excerpts_of
from training.data.reviews import REVIEWS_NAME, DataError, Review, ShortText, UnlabelledReview, read, write
from training.data.splits import FOLDS, LeftOut, Splits, assign, fold_of
from training.features.build_vocabulary import build_vocabulary
from training.features.channels import channel_names, load_prepared
from training.features.extract import extract
from training.features.ngram_weights import LearnedWeights, learn_weights
from training.features.prepare import PRESETS, FeatureRecipe, prepare
from training.locks import InUseError

TRAIN, VALIDATION = "train/train.libsvm", "validation/validation.libsvm"
FOLD_WORDS = ("alpha", "bravo", "charlie", "delta", "echo")  # a word in all reviews of a fold, and in no others


def files(folder: Path) -> dict[str, Any]:
    """Return the content of all files, without the seconds that `prepare` took."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    prepared = json.loads(found.pop("prepared.json"))
    return {**found, "prepared": {key: value for key, value in prepared.items() if key != "seconds"}}


def lines_of(folder: Path, channel: str) -> list[str]:
    return (folder / channel).read_text().splitlines()


def without_label(lines: Sequence[str]) -> list[str]:
    return [line.partition(" ")[2] for line in lines]


@pytest.fixture(scope="module")
def reviews(small_data: Path) -> list[Review]:
    return list(read(small_data / REVIEWS_NAME))


@pytest.fixture(scope="module")
def splits(small_data: Path) -> Splits:
    return assign(small_data / REVIEWS_NAME)


@pytest.fixture(scope="module")
def marked(small_slots: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The channels of reviews in which every sentence has the word of its fold; the test has a separate word, too."""
    folder = tmp_path_factory.mktemp("marked")

    def text(split: str, number: int, label: int) -> str:
        mark = "foxtrot" if split == "test" else FOLD_WORDS[number // 2 % 5]
        opinion = ("dull", "fine")[label]
        return f"The {mark} film {number} is {opinion}. So {mark} was it! {mark} it was, {opinion}, and {mark}."

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


def expected_lines(folder: Path, encoders: dict[LeftOut, Encoder], short: Sequence[ShortText]) -> dict[str, list[str]]:
    """Return the lines of all channels: the label and the row that the app would send."""
    expected: dict[str, list[str]] = {name: [] for name in channel_names()}

    def add(label: int, tenth: int, train: list[str], validation: list[str]) -> None:
        def encoded(texts: list[str]) -> list[str]:
            return [f"{label} {encoders[tenth].row(words(text))}" for text in texts]

        expected[f"all/{TRAIN}"] += encoded(train)
        for fold in range(FOLDS):
            own = fold == fold_of(tenth)
            expected[f"fold-{fold}/{VALIDATION if own else TRAIN}"] += encoded(validation if own else train)

    splits = assign(folder / REVIEWS_NAME)
    for review in filter(splits.is_training, read(folder / REVIEWS_NAME)):
        (excerpt,) = excerpts_of(review.id, review.text, 1)
        train = [review.text] * 2 + ([excerpt] if review.number % 4 == 0 else [])
        add(review.label, splits.tenth_of(review), train, [review.text, excerpt])
    for number, text in enumerate(short):
        label, tenth = int(text.target > 0.5), text.group % 10
        if text.target == 0.5:
            continue
        if text.source == "templates":
            add(label, tenth, [text.text] * 4, [])
        elif text.whole:
            add(label, tenth, [text.text] * 3, [text.text])
        elif number % 2 == 0 and len(words(text.text)) > 1:
            add(label, tenth, [text.text], [])
    return expected


def test_each_line_is_encoded_with_weights_learned_without_it(
    small_data: Path, small_channels: Path, small_encoders: dict[LeftOut, Encoder]
) -> None:
    templates = extract(small_data, assign(small_data / REVIEWS_NAME)).short_texts
    expected = expected_lines(small_data, small_encoders, templates)
    for channel in channel_names():
        assert lines_of(small_channels, channel) == expected[channel], channel


def test_short_texts_have_lines_by_their_kind(small_slots: int, small_data: Path, tmp_path: Path) -> None:
    phrases = [
        ShortText("treebank", "train", group, target, whole, f"{text} {group}")
        for group in range(20)
        for target, whole, text in (
            (0.95, True, "a wonderful film"),
            (0.5, True, "a film"),
            (0.2, False, "so boring"),
            (0.8, False, "moving"),
        )
    ]
    held_out = [ShortText("treebank", split, 1, 0.95, True, f"superb {split}") for split in ("dev", "test")]
    data, channels = tmp_path / "data", tmp_path / "channels"
    unlabelled = [UnlabelledReview(number, None, f"the film is wonderful {number}") for number in range(30)]
    write(data, read(small_data / REVIEWS_NAME), "test", unlabelled, [*phrases, *held_out])
    prepare(data, channels, slots=small_slots)
    extracted = extract(data, assign(data / REVIEWS_NAME))
    assert len(extracted.short_texts) >= len(phrases)
    assert not {text.text for text in held_out} & {text.text for text in extracted.short_texts}
    learned = learn_weights(extracted.hashed, slots=small_slots)
    known = vocabulary.load(channels / "vocabulary.txt")
    encoders = {left_out: Encoder(known, table) for left_out, table in learned.tables.items()}
    expected = expected_lines(data, encoders, extracted.short_texts)
    for channel in channel_names():
        assert lines_of(channels, channel) == expected[channel], channel


def test_there_are_a_channel_of_all_reviews_and_five_pairs(small_channels: Path) -> None:
    assert channel_names() == [f"all/{TRAIN}", *(f"fold-{n}/{file}" for n in range(5) for file in (TRAIN, VALIDATION))]
    found = {str(path.relative_to(small_channels)) for path in small_channels.rglob("*.libsvm")}
    assert found == set(channel_names())


def test_train_has_neither_reviews_nor_excerpts_of_the_held_out_fold(marked: Path) -> None:
    """Every sentence has the word of its fold, so the columns of a line identify its fold."""
    known = vocabulary.load(marked / "channels" / "vocabulary.txt")
    column_of = {word: known.columns([word])[0] for word in FOLD_WORDS}

    def folds_of(channel: str) -> Counter[int]:
        found: list[int] = []
        for line in lines_of(marked / "channels", channel):
            columns = {int(field.partition(":")[0]) for field in line.split(" ")[1:]}
            (fold,) = (number for number, word in enumerate(FOLD_WORDS) if column_of[word] in columns)
            found.append(fold)
        return Counter(found)

    counts = folds_of(f"all/{TRAIN}")
    assert set(counts) == set(range(FOLDS))
    for fold in range(FOLDS):
        assert folds_of(f"fold-{fold}/{VALIDATION}") == {fold: 40}
        assert folds_of(f"fold-{fold}/{TRAIN}") == {other: counts[other] for other in range(FOLDS) if other != fold}
    assert folds_of(f"all/{TRAIN}") == counts


def test_words_of_the_test_are_not_in_the_vocabulary_or_the_ngram_table(marked: Path) -> None:
    _, encoder = load_prepared(marked / "channels")
    assert "foxtrot" not in encoder.vocabulary
    assert "alpha" in encoder.vocabulary
    assert encoder.ngram_table.word_slots(["foxtrot"]) == [0]
    assert encoder.known_share(["alpha", "foxtrot"]) == 0.5


def test_a_text_in_several_folds_is_used_in_one(small_slots: int, tmp_path: Path) -> None:
    def text(number: int, label: int) -> str:
        return "zulu film, zulu" if label and number in (0, 2, 4) else f"film {number} {('dull', 'fine')[label]} zulu"

    write(
        tmp_path / "data",
        (Review("train", number, label, None, text(number, label)) for number in range(50) for label in (0, 1)),
        "test",
    )
    prepared = prepare(tmp_path / "data", tmp_path / "channels", slots=small_slots)
    assert prepared.dropped == 2
    assert prepared.rows[f"all/{TRAIN}"] == {"negative": 113, "positive": 108}


def test_every_line_has_both_constants_and_the_same_largest_index(small_channels: Path) -> None:
    last = load_prepared(small_channels)[1].last_column
    for channel in channel_names():
        lines = lines_of(small_channels, channel)
        assert lines
        assert all(line[:6] in ("0 0:1 ", "1 0:1 ") and line.endswith(f" {last}:1") for line in lines)
        assert {max(int(field.split(":")[0]) for field in line.split(" ")[1:]) for line in lines} == {last}


def test_the_record_matches_the_channels(small_channels: Path, small_learned: LearnedWeights) -> None:
    prepared, encoder = load_prepared(small_channels)
    for channel in channel_names():
        labels = Counter(line[0] for line in lines_of(small_channels, channel))
        assert prepared.rows[channel] == {"negative": labels["0"], "positive": labels["1"]}
    assert (prepared.words, prepared.terms) == (len(encoder.vocabulary), small_learned.ngrams)
    assert prepared.vocabulary_fingerprint == encoder.fingerprint
    weights = {weight for pairs in prepared.strongest.values() for _, weight in pairs}
    assert weights == set(small_learned.strongest.values()) - {0}


def test_the_same_reviews_give_the_same_files(
    small_data: Path, small_channels: Path, small_slots: int, tmp_path: Path
) -> None:
    prepare(small_data, tmp_path, slots=small_slots)
    assert files(tmp_path) == files(small_channels)


@pytest.mark.parametrize("name", [*channel_names(), "vocabulary.txt", "evidence.bin"])
def test_a_changed_file_is_refused(small_channels: Path, tmp_path: Path, name: str) -> None:
    for path in (each for each in small_channels.rglob("*") if each.is_file()):
        (tmp_path / path.relative_to(small_channels)).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path.relative_to(small_channels)).write_bytes(path.read_bytes())
    assert load_prepared(tmp_path)
    content = (tmp_path / name).read_bytes()
    changed = content.replace(b"horrible", b"terrible") if "voc" in name else content[:-1] + b"\x01"
    (tmp_path / name).write_bytes(changed)
    with pytest.raises(DataError, match="was changed"):
        load_prepared(tmp_path)


def test_the_error_for_missing_channels_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="verdict prepare"):
        load_prepared(tmp_path)


def test_a_long_review_has_the_row_that_the_app_sends(small_data: Path, tmp_path: Path) -> None:
    long = "A wonderful film. ".ljust(MAX_REVIEW_LENGTH, "!") + " horrible horrible"
    reviews = list(read(small_data / REVIEWS_NAME))
    number = 1 + max(review.number for review in reviews)
    write(tmp_path / "data", [*reviews, Review("train", number, 1, None, long)], "test")
    prepare(tmp_path / "data", tmp_path / "channels", recipe=FeatureRecipe(ngrams=False, excerpts=False))
    _, encoder = load_prepared(tmp_path / "channels")
    row = encode_review(long, Release(encoder, load().facts)).row
    assert f"1 {row}" in lines_of(tmp_path / "channels", f"all/{TRAIN}")


def during_preparation(action: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Call a function when the words are counted and no row is written yet."""

    def act_and_build(*arguments: Any) -> Any:
        action()
        return build_vocabulary(*arguments)

    monkeypatch.setattr("training.features.prepare.build_vocabulary", act_and_build)


def test_channels_are_never_of_two_sets_of_data(
    small_data: Path, small_slots: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other data is copied, as by a program that knows no locks, before rows are written."""
    other, data = tmp_path / "other", tmp_path / "data"
    collect_generated(40, other)
    shutil.copytree(small_data, data)
    during_preparation(lambda: shutil.copytree(other, data, dirs_exist_ok=True), monkeypatch)
    with pytest.raises(DataError, match=r"Other reviews were collected in .* while they were read"):
        prepare(data, tmp_path / "channels", slots=small_slots)
    with pytest.raises(DataError, match="There are no prepared channels"):
        load_prepared(tmp_path / "channels")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fcntl locks")
def test_data_in_use_cannot_be_collected_again(
    small_data: Path, small_slots: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    during_preparation(lambda: collect_generated(40, small_data), monkeypatch)
    with pytest.raises(InUseError, match=r"Another command is reading or writing .*data"):
        prepare(small_data, tmp_path, slots=small_slots)


def test_a_failed_preparation_leaves_no_channels_that_can_be_loaded(small_data: Path, tmp_path: Path) -> None:
    prepare(small_data, tmp_path / "channels", recipe=FeatureRecipe(ngrams=False))
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
    with pytest.raises(DataError, match="No word"):
        prepare(tmp_path / "data", tmp_path / "channels")
    with pytest.raises(DataError, match="no prepared channels"):
        load_prepared(tmp_path / "channels")


def test_a_recipe_sets_words_ngrams_excerpts_and_reviews(small_data: Path, splits: Splits, tmp_path: Path) -> None:
    recipe = FeatureRecipe(words=20, ngrams=False, excerpts=False, reviews=100)
    prepared = prepare(small_data, tmp_path, recipe=recipe)
    read_back, encoder = load_prepared(tmp_path)
    assert read_back == prepared
    assert (prepared.words, prepared.terms, prepared.strongest) == (20, 0, {})
    assert (len(encoder.vocabulary), encoder.ngram_table, encoder.columns) == (20, None, 22)
    assert not (tmp_path / "evidence.bin").exists()
    assert sum(prepared.rows[f"all/{TRAIN}"].values()) == 100
    for fold in range(FOLDS):
        validation = sum(prepared.rows[f"fold-{fold}/{VALIDATION}"].values())
        assert validation + sum(prepared.rows[f"fold-{fold}/{TRAIN}"].values()) == 100
    assert prepared.dropped == len(splits.duplicates) == 0
    assert FeatureRecipe.from_json(prepared.recipe) == recipe


def test_the_vocabulary_has_the_words_in_most_reviews(
    reviews: list[Review], splits: Splits, small_data: Path, tmp_path: Path
) -> None:
    prepare(small_data, tmp_path, recipe=FeatureRecipe(words=10, ngrams=False, excerpts=False))
    counts = Counter(word for review in filter(splits.is_training, reviews) for word in set(words(review.text)))
    most = sorted(counts, key=lambda word: (-counts[word], word))[:10]
    assert list(vocabulary.load(tmp_path / "vocabulary.txt").terms) == sorted(most)


def test_the_tutorial_preset_has_neither_ngram_features_nor_excerpts(
    small_data: Path, small_channels: Path, tmp_path: Path
) -> None:
    for path in ("evidence.bin", "vocabulary.txt"):  # of an earlier preparation
        (tmp_path / path).write_bytes((small_channels / path).read_bytes())
    prepared = prepare(small_data, tmp_path, recipe=PRESETS["tutorial"])
    assert not (tmp_path / "evidence.bin").exists()
    assert sum(prepared.rows[f"all/{TRAIN}"].values()) == 300
    assert PRESETS["tutorial"].words == 5_000
    known = load_prepared(tmp_path)[1]
    assert known.columns == len(known.vocabulary) + 2
    assert all(":1" in field for line in lines_of(tmp_path, f"all/{TRAIN}") for field in line.split(" ")[1:])


def test_the_released_weights_are_learned_from_all_reviews(
    small_channels: Path, small_encoders: dict[LeftOut, Encoder]
) -> None:
    released = load_ngram_table(small_channels / "evidence.bin")
    assert Encoder(vocabulary.load(small_channels / "vocabulary.txt"), released).fingerprint == (
        small_encoders[None].fingerprint
    )


def test_the_command_prints_a_summary(small_data: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["--data", str(small_data), "--into", str(tmp_path), "--preset", "tutorial"])
    assert result.exit_code == 0, result.output
    assert "training rows, positive" in result.output
    assert load_prepared(tmp_path)[0].vocabulary_fingerprint in result.output
