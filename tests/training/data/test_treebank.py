import zipfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from training.data.reviews import DataError, ShortText
from training.data.treebank import OFFICIAL_SENTENCES, check_official, detokenise, parse, read_treebank

TREES = {
    "train.txt": "(3 (2 A) (4 (4 fine) (2 film)))\n(1 (1 (2 Is) (1 n't)) (2 .))\n",
    "dev.txt": "(0 (1 No) (0 good))\n",
    "test.txt": "(2 (2 So) (2 so))\n",
}
TRAIN = [
    ShortText("treebank", "train", 0, 0.8, True, "A fine film"),
    ShortText("treebank", "train", 0, 0.5, False, "A"),
    ShortText("treebank", "train", 0, 0.95, False, "fine film"),
    ShortText("treebank", "train", 0, 0.95, False, "fine"),
    ShortText("treebank", "train", 0, 0.5, False, "film"),
    ShortText("treebank", "train", 1, 0.2, True, "Isn't."),
    ShortText("treebank", "train", 1, 0.2, False, "Isn't"),
    ShortText("treebank", "train", 1, 0.5, False, "Is"),
    ShortText("treebank", "train", 1, 0.2, False, "n't"),
    ShortText("treebank", "train", 1, 0.5, False, "."),
]


def folder_of(folder: Path, **changed: str) -> Path:
    """Write a small Treebank into a folder, with other contents of some files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {**TREES, **{f"{split}.txt": content for split, content in changed.items()}}.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def zip_of(path: Path, members: dict[str, str]) -> Path:
    """Write a zip file of (name, content)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def official_like(path: Path) -> Path:
    """Write a zip file in the official layout."""
    return zip_of(path, {"trees/": "", **{f"trees/{name}": content for name, content in TREES.items()}})


def test_sentences_and_phrases_of_train_are_read_with_their_targets(tmp_path: Path) -> None:
    assert [each for each in read_treebank(folder_of(tmp_path)) if each.split == "train"] == TRAIN


def test_dev_and_test_have_whole_sentences_only(tmp_path: Path) -> None:
    assert list(read_treebank(folder_of(tmp_path)))[len(TRAIN) :] == [
        ShortText("treebank", "dev", 0, 0.05, True, "No good"),
        ShortText("treebank", "test", 0, 0.5, True, "So so"),
    ]


def test_a_text_of_several_nodes_of_a_sentence_is_read_once(tmp_path: Path) -> None:
    texts = read_treebank(folder_of(tmp_path, train="(3 (3 (3 good) (2 ,)) (3 good))\n(3 (3 good))\n"))
    assert Counter((each.group, each.text) for each in texts if each.split == "train") == {
        (0, "good, good"): 1,
        (0, "good,"): 1,
        (0, "good"): 1,
        (0, ","): 1,
        (1, "good"): 1,
    }


def test_a_zip_file_and_its_folder_have_the_same_texts(tmp_path: Path) -> None:
    expected = list(read_treebank(folder_of(tmp_path / "sst")))
    folder_of(tmp_path / "unpacked" / "trees")
    assert list(read_treebank(official_like(tmp_path / "trees.zip"))) == expected
    assert list(read_treebank(tmp_path / "unpacked")) == expected


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ("It is n't bad .", "It isn't bad."),
        ("I ca n't , wo n't and can not .", "I can't, won't and cannot."),
        ("They 've got what we 'd like ; it 's Fred 's", "They've got what we'd like; it's Fred's"),
        ("-LRB- It 's -RRB- what it is", "(It's) what it is"),
        ("`` Panic Room '' is an hour too long", '"Panic Room" is an hour too long'),
        ("` comedy ' and the critics ' darling", "'comedy' and the critics' darling"),
        ("a writer\\/director with \\*\\*\\* 1\\/2 stars", "a writer/director with *** 1/2 stars"),
        ("Wow !? $ 9 for 100 % of Revolution # 9 ...", "Wow!? $9 for 100% of Revolution #9..."),
        ("2\xa01\\/2 hours -- of '70s soul", "2 1/2 hours -- of '70s soul"),
        ("n't bad", "n't bad"),
        (", but fine", ", but fine"),
    ],
)
def test_tokens_are_joined_as_people_write_them(tokens: str, text: str) -> None:
    assert detokenise(tokens.split(" ")) == text


@pytest.mark.parametrize(
    "line",
    [
        "(3 (2 A) (4 fine)",
        "(3 (2 A) (4 fine)))",
        "(5 (2 A) (4 fine))",
        "(3 A) (4 fine)",
        "(3 (2 ) (4 fine))",
        "(3 )",
        "A fine film",
        "3",
        "(3(2 A)(4 fine))",
        "(3 A fine film) indeed",
    ],
)
def test_a_malformed_tree_is_refused_with_its_file_and_line(tmp_path: Path, line: str) -> None:
    with pytest.raises(DataError, match=r"sst: dev\.txt, line 3 is not a tree"):
        list(read_treebank(folder_of(tmp_path / "sst", dev=f"(3 good)\n\n{line}\n")))


def test_a_deep_tree_is_parsed() -> None:
    tokens, nodes = parse("(2 " * 5_000 + "deep" + ")" * 5_000, "a file, line 1")
    assert (tokens, len(nodes)) == (["deep"], 5_000)


def test_a_line_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (folder / "test.txt").write_bytes(b"(3 good)\n(3 caf\xe9)\n")
    with pytest.raises(DataError, match=r"test\.txt, line 2 is not UTF-8"):
        list(read_treebank(folder))


def test_a_missing_or_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"dev\.txt has no sentences"):
        list(read_treebank(folder_of(tmp_path / "empty", dev="\n")))
    (folder_of(tmp_path / "part") / "test.txt").unlink()
    with pytest.raises(DataError, match="not the Treebank"):
        list(read_treebank(tmp_path / "part"))
    with pytest.raises(DataError, match=r"should have one train\.txt, but has 0"):
        list(read_treebank(zip_of(tmp_path / "other.zip", {"other.txt": "x"})))


def test_a_zip_file_with_one_file_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"one train\.txt, but has 2"):
        list(read_treebank(zip_of(tmp_path / "twice.zip", {**TREES, "trees/train.txt": "(3 good)"})))


@pytest.mark.parametrize("name", ["../evil.txt", "/etc/evil.txt", "a/../../evil.txt", "..\\evil.txt"])
def test_a_zip_file_with_a_path_outside_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="unsafe"):
        list(read_treebank(zip_of(tmp_path / "unsafe.zip", {**TREES, name: "x"})))


def test_a_zip_file_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "bomb.zip", {**TREES, "train.txt": " " * 50_000_001})
    assert path.stat().st_size < 100_000
    with pytest.raises(DataError, match="50,000,001 bytes"):
        list(read_treebank(path))


def test_a_damaged_zip_file_is_refused_at_any_byte(tmp_path: Path) -> None:
    whole = official_like(tmp_path / "whole.zip").read_bytes()
    expected = list(read_treebank(tmp_path / "whole.zip"))
    path = tmp_path / "damaged.zip"
    for kept in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:kept])
        with pytest.raises(DataError, match="not the Treebank"):
            list(read_treebank(path))
    for place in range(len(whole)):  # a changed date or comment is no damage
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        with suppress(DataError):
            assert list(read_treebank(path)) == expected


def test_an_incomplete_official_treebank_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train 8,544, dev 1,101, test 2,210\. It has: train 2, dev 1, test 1"):
        check_official(tmp_path, read_treebank(folder_of(tmp_path)))


@pytest.mark.needs_treebank
def test_the_official_treebank_is_complete(treebank: Path) -> None:
    texts = list(read_treebank(treebank))
    check_official(treebank, texts)
    assert Counter(each.split for each in texts if each.whole) == OFFICIAL_SENTENCES
    binary = Counter(each.split for each in texts if each.whole and each.target != 0.5)
    assert (binary["dev"], binary["test"]) == (872, 1_821)  # as in the published binary task
    assert not any(mark in each.text for each in texts for mark in ("-LRB-", "``", " n't", "\\/", " ,"))
