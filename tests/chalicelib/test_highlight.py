from hypothesis import given
from hypothesis import strategies as st

from chalicelib.highlight import level, stretches
from chalicelib.text import located_words, sentences


def sentence(start: int, end: int) -> dict[str, object]:
    return {"start": start, "end": end, "effect": 0.1}


def word(text: str, *places: tuple[int, int]) -> dict[str, object]:
    return {"text": text, "places": [{"start": start, "end": end} for start, end in places]}


def shown(text: str, told: list[dict[str, object]], words: list[dict[str, object]]) -> str:
    """Write stretches down: sentences in brackets, words in stars."""
    written = ""
    for stretch in stretches(text, told, words):
        inner = "".join(f"*{piece.text}*" if piece.word else piece.text for piece in stretch.pieces)
        written += f"[{inner}]" if stretch.sentence else inner
    return written


def test_words_are_marked_inside_their_sentences() -> None:
    assert shown(
        "So good. So bad.", [sentence(0, 8), sentence(9, 16)], [word("good", (3, 7)), word("bad", (12, 15))]
    ) == ("[So *good*.] [So *bad*.]")


def test_every_place_of_a_word_is_marked() -> None:
    assert shown("bad, bad", [], [word("bad", (0, 3), (5, 8))]) == "*bad*, *bad*"


def test_adjacent_words_stay_apart() -> None:
    assert shown("great!", [sentence(0, 6)], [word("great", (0, 5)), word("!", (5, 6))]) == "[*great**!*]"


def test_what_two_words_claim_is_the_earlier_ones() -> None:
    assert shown("abcdef", [], [word("a", (0, 4)), word("b", (2, 6)), word("c", (1, 2))]) == "*abcd**ef*"


def test_what_two_sentences_claim_is_the_earlier_ones() -> None:
    assert shown("abcdef", [sentence(2, 6), sentence(0, 3)], []) == "[abc][def]"


def test_a_word_that_crosses_the_end_of_a_sentence_is_marked_on_both_sides() -> None:
    assert shown("abcd", [sentence(0, 2)], [word("bc", (1, 3))]) == "[a*b*]*c*d"


def test_parts_outside_the_text_and_empty_ones_are_ignored() -> None:
    assert shown("abc", [sentence(5, 9)], [word("x", (2, 9)), word("y", (1, 1)), word("z", (7, 8))]) == "ab*c*"


def test_an_empty_text_has_no_stretches() -> None:
    assert stretches("", [], []) == []


def test_offsets_count_code_points_and_not_the_halves_of_surrogate_pairs() -> None:
    assert shown("🎬🎬 good 🎉", [sentence(0, 9)], [word("good", (3, 7))]) == "[🎬🎬 *good* 🎉]"


@given(st.text(st.sampled_from("aé🎬 .!<&;\u202e\u05d0b\u0301½'"), max_size=40))
def test_real_parts_of_any_text_lose_and_double_nothing(text: str) -> None:
    told = [sentence(span.start, span.end) for span in sentences(text)]
    words = [word(found.text, (found.start, found.end)) for found in located_words(text)]
    assert "".join(piece.text for stretch in stretches(text, told, words) for piece in stretch.pieces) == text


span = st.tuples(st.integers(0, 12), st.integers(0, 12))


@given(st.lists(span, max_size=6), st.lists(span, max_size=6))
def test_any_claims_lose_and_double_nothing(told: list[tuple[int, int]], places: list[tuple[int, int]]) -> None:
    found = stretches("0123456789", [sentence(*each) for each in told], [word("w", *places)])
    assert "".join(piece.text for stretch in found for piece in stretch.pieces) == "0123456789"


def test_levels_go_from_one_to_four_beside_the_strongest() -> None:
    assert [level(effect, 0.4) for effect in (0.001, 0.1, -0.15, 0.25, -0.4, 0.9)] == [1, 1, 2, 3, 4, 4]


def test_nothing_to_compare_with_is_the_lowest_level() -> None:
    assert level(0.0, 0.0) == 1
