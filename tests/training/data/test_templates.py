"""Tests of the template sentences: their labels, and which of them are sentences that tests judge."""

from chalicelib.text import words
from training.data.authored_sentences import OBVIOUS, SENTENCES, load_sentences
from training.data.templates import TARGETS, read_frames, template_texts

PRAISE, BLAME = ("superb", "moving", "great", "wonderful"), ("dull", "awful", "bad", "terrible")


def evaluated_sentences() -> set[tuple[str, ...]]:
    return {tuple(words(sentence.text)) for path in (SENTENCES, OBVIOUS) for sentence in load_sentences(path)}


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


def test_no_frame_is_a_sentence_that_evaluates_releases() -> None:
    texts = {tuple(words(frame.text)) for frame in read_frames() if "{" not in frame.text}
    assert not texts & evaluated_sentences()


def test_a_sentence_that_evaluates_releases_is_not_generated() -> None:
    """The adjective makes one of "nothing about it is {good}"."""
    assert tuple(words("Nothing about it is enjoyable.")) in evaluated_sentences()
    assert not {tuple(words(text.text)) for text in template_texts(["enjoyable"], BLAME)} & evaluated_sentences()
