"""Tests of the template sentences: their labels, and which of them are sentences that tests judge."""

from pathlib import Path

import pytest

from chalicelib.text import words
from tests.model.test_sentences import OBVIOUS_BLAME, OBVIOUS_PRAISE
from training.data.archive import read_archive
from training.data.templates import TARGETS, read_frames, template_texts
from training.evaluation.authored_sentences import load_sentences
from training.features.build_vocabulary import WordCounts, adjectives

PRAISE, BLAME = ("superb", "moving", "great", "wonderful"), ("dull", "awful", "bad", "terrible")
# Tested sentences that the templates of the present release also generate, found after it was trained. Take the frames
# out before the next one is trained; the list may only become shorter.
ALSO_GENERATED = {
    "boring from start to finish",
    "great cast shame about the script",
    "brilliant",
    "don't miss it",
    "don't bother",
    "the jokes don't land",
    "i wasn't bored for a second",
    "it doesn't drag",
    "nothing about it is enjoyable",
    "i could hardly stay awake",
    "full of suspense",
    "devoid of suspense",
    "nothing to complain about",
    "no small achievement",
    "i can't recommend it enough",
    "i want my money back",
    "not funny",
    "i didn't like it",
    "i didn't love it",
}


def judged_sentences() -> set[tuple[str, ...]]:
    sentences = [sentence.text for sentence in load_sentences()]
    return {tuple(words(text)) for text in (*sentences, *OBVIOUS_PRAISE, *OBVIOUS_BLAME)}


def test_every_frame_gives_texts_of_its_label() -> None:
    frames = read_frames()
    texts = list(template_texts(PRAISE, BLAME))
    assert {text.group for text in texts} == set(range(len(frames)))
    for text in texts:
        assert text.target in TARGETS
        assert not {"{", "}"} & set(text.text)
        if not frames[text.group].mirrored:
            assert text.target == TARGETS[frames[text.group].positive]


def test_a_mirrored_frame_has_both_labels() -> None:
    mirrored = [group for group, frame in enumerate(read_frames()) if frame.mirrored]
    texts = list(template_texts(PRAISE, BLAME))
    for group in mirrored:
        assert {text.target for text in texts if text.group == group} == set(TARGETS)


def test_the_same_adjectives_give_the_same_texts() -> None:
    assert list(template_texts(PRAISE, BLAME)) == list(template_texts(PRAISE, BLAME))


def test_labels_are_balanced() -> None:
    targets = [text.target for text in template_texts(PRAISE, BLAME)]
    assert 0.4 < targets.count(TARGETS[1]) / len(targets) < 0.6


@pytest.mark.needs_archive
def test_no_other_generated_text_is_a_tested_sentence(archive: Path) -> None:
    counts = WordCounts()
    for review in read_archive(archive).reviews:
        if review.split == "train":
            counts.count(review.label, words(review.text))
    generated = {tuple(words(text.text)) for text in template_texts(*adjectives(counts))}
    assert {" ".join(text) for text in generated & judged_sentences()} <= ALSO_GENERATED
