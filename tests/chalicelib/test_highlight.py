from hypothesis import given
from hypothesis import strategies as st

from chalicelib.explanation import InfluentialWord, Sentence
from chalicelib.highlight import divide, level
from chalicelib.text import Span, located_words, sentences


def sentence(start: int, end: int) -> Sentence:
    return Sentence("", start, end, score=0.6, effect=0.1)


def word(text: str, *places: tuple[int, int]) -> InfluentialWord:
    return InfluentialWord(
        text, tuple(Span(start, end) for start, end in places), effect=0.1, sentence_effect=0.1, sentence=0
    )


def marked(text: str, of_sentences: list[Sentence], words: list[InfluentialWord]) -> str:
    """Return a text with its sentences in brackets and its words in asterisks."""
    written = ""
    for segment in divide(text, of_sentences, words):
        inner = "".join(f"*{piece.text}*" if piece.word else piece.text for piece in segment.pieces)
        written += f"[{inner}]" if segment.sentence else inner
    return written


def joined(text: str, of_sentences: list[Sentence], words: list[InfluentialWord]) -> str:
    """Return the joined texts of all pieces."""
    return "".join(piece.text for segment in divide(text, of_sentences, words) for piece in segment.pieces)


def test_words_are_marked_inside_their_sentences() -> None:
    text = marked("So good. So bad.", [sentence(0, 8), sentence(9, 16)], [word("good", (3, 7)), word("bad", (12, 15))])
    assert text == "[So *good*.] [So *bad*.]"


def test_every_occurrence_of_a_word_is_marked() -> None:
    assert marked("bad, bad", [], [word("bad", (0, 3), (5, 8))]) == "*bad*, *bad*"


def test_adjacent_words_are_marked_separately() -> None:
    assert marked("great!", [sentence(0, 6)], [word("great", (0, 5)), word("!", (5, 6))]) == "[*great**!*]"


def test_an_overlap_of_words_belongs_to_the_earlier() -> None:
    assert marked("abcdef", [], [word("a", (0, 4)), word("b", (2, 6)), word("c", (1, 2))]) == "*abcd**ef*"


def test_an_overlap_of_sentences_belongs_to_the_earlier() -> None:
    assert marked("abcdef", [sentence(2, 6), sentence(0, 3)], []) == "[abc][def]"


def test_a_word_across_the_end_of_a_sentence_is_marked_on_both_sides() -> None:
    assert marked("abcd", [sentence(0, 2)], [word("bc", (1, 3))]) == "[a*b*]*c*d"


def test_empty_parts_and_parts_outside_the_text_are_ignored() -> None:
    assert marked("abc", [sentence(5, 9)], [word("x", (2, 9)), word("y", (1, 1)), word("z", (7, 8))]) == "ab*c*"


def test_an_empty_text_has_no_segments() -> None:
    assert divide("", [], []) == []


def test_offsets_are_code_points() -> None:
    """They are not UTF-16 code units, of which the emoji have two."""
    assert marked("🎬🎬 good 🎉", [sentence(0, 9)], [word("good", (3, 7))]) == "[🎬🎬 *good* 🎉]"


@given(st.text(st.sampled_from("aé🎬 .!<&;\u202e\u05d0b\u0301½'"), max_size=40))
def test_every_character_of_a_review_is_in_one_piece(text: str) -> None:
    spans = [sentence(span.start, span.end) for span in sentences(text)]
    words = [word(found.text, (found.start, found.end)) for found in located_words(text)]
    assert joined(text, spans, words) == text


some_spans = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=6)


@given(some_spans, some_spans)
def test_every_character_is_in_one_piece_whatever_the_parts(
    spans: list[tuple[int, int]], places: list[tuple[int, int]]
) -> None:
    assert joined("0123456789", [sentence(*each) for each in spans], [word("w", *places)]) == "0123456789"


def test_levels_are_relative_to_the_strongest_effect() -> None:
    assert [level(effect, 0.4) for effect in (0.001, 0.1, -0.15, 0.25, -0.4, 0.9)] == [1, 1, 2, 3, 4, 4]


def test_the_level_is_lowest_if_the_strongest_effect_is_zero() -> None:
    assert level(0.0, 0.0) == 1
