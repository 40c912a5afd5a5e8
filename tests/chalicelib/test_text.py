import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.text import clean, located_words, sentences, words

HOSTILE = [
    "<a" * 100_000,
    "<" * 200_000,
    "&a" * 100_000,
    "a'" * 100_000,
    "1/" * 100_000,
    "." * 200_000,
    "." * 200_000 + "x",  # not the end of a sentence
    ". " * 100_000,
    "?)" * 100_000,
    "a. " * 70_000,
    "<br " + " " * 200_000,
    "a" * 200_000,
    "\N{LATIN SMALL LETTER E WITH ACUTE}" * 200_000,
    "\N{GRINNING FACE}" * 200_000,
    "\N{COMBINING ACUTE ACCENT}" * 200_000,
    "\n \n" * 60_000,
]


@pytest.mark.parametrize(
    ("review", "expected"),
    [
        ("It's <b>GREAT</b>!", ["it's", "great", "!"]),
        ("I don\N{RIGHT SINGLE QUOTATION MARK}t like it", ["i", "don't", "like", "it"]),
        ("Fish &amp; chips &lt;3 it&#39;s", ["fish", "chips", "3", "it's"]),
        ("good<br /><br />bad", ["good", "bad"]),
        ("7/10, really?!", ["7/10", "really", "?", "!"]),
        ("na\N{LATIN SMALL LETTER I WITH DIAERESIS}ve clich\N{LATIN SMALL LETTER E WITH ACUTE}", ["naive", "cliche"]),
        ("e\N{COMBINING ACUTE ACCENT}t e\N{COMBINING ACUTE ACCENT}", ["et", "e"]),
        ("\N{LATIN SMALL LIGATURE FI}lm \N{FULLWIDTH LATIN CAPITAL LETTER B}ad", ["film", "bad"]),
        ("hor\N{SOFT HYPHEN}rible hor\N{ZERO WIDTH SPACE}rible", ["horrible", "horrible"]),
        ("\x00good\x1fbad\x85ugly", ["good", "bad", "ugly"]),
        ("I <3 it, a > b", ["i", "3", "it", "a", "b"]),
        ("\N{CYRILLIC SMALL LETTER DE} \N{GRINNING FACE}", []),
        ("\N{VULGAR FRACTION ONE HALF} star \N{DOUBLE EXCLAMATION MARK}", ["1/2", "star", "!", "!"]),
        ("", []),
    ],
)
def test_words_are_read_through_markup_entities_and_typography(review: str, expected: list[str]) -> None:
    assert words(review) == expected


@given(st.text(max_size=200))
@example("<b>&eacute;&#769;</b>e\N{COMBINING ACUTE ACCENT}\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}")
def test_located_words_are_the_same_words(review: str) -> None:
    assert [word.text for word in located_words(review)] == words(review)


@given(st.text(max_size=200))
def test_located_words_are_in_order_and_inside_the_text(review: str) -> None:
    found = located_words(review)  # the double exclamation mark is two words
    assert [word.start for word in found] == sorted(word.start for word in found)
    assert [word.end for word in found] == sorted(word.end for word in found)
    assert all(0 <= word.start < word.end <= len(review) for word in found)


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_line_break_separates_words(first: str, second: str) -> None:
    if "<" not in first and "&" not in first:  # or markup could begin in the first and end in the second
        assert words(f"{first}\n{second}") == words(first) + words(second)


def test_located_words_have_the_positions_of_the_submitted_text() -> None:
    review = "<i>It&#39;s</i> a na\N{LATIN SMALL LETTER I WITH DIAERESIS}ve film, cafe\N{COMBINING ACUTE ACCENT}!"
    found = {word.text: review[word.start : word.end] for word in located_words(review)}
    assert found["it's"] == "It&#39;s"
    assert found["naive"] == "na\N{LATIN SMALL LETTER I WITH DIAERESIS}ve"
    assert found["cafe"] == "cafe\N{COMBINING ACUTE ACCENT}"


@given(st.text(alphabet="aB <>&;'\n.!?\N{RIGHT SINGLE QUOTATION MARK}", max_size=60))
def test_cleaning_twice_gives_the_same_words(review: str) -> None:
    once = clean(review)
    if "<" not in once and "&" not in once:
        assert words(once) == words(review)


@pytest.mark.parametrize(
    ("review", "expected"),
    [
        ("It was bad. I left!  Why?", ["It was bad.", "I left!", "Why?"]),
        ("Mr. Smith is J. Doe. He acts.", ["Mr. Smith is J. Doe.", "He acts."]),
        ("Good.<br /><br />Bad<br>Ugly", ["Good.", "Bad", "Ugly"]),
        ('"Wow." he said... then left', ['"Wow."', "he said...", "then left"]),
        ("one\ntwo\r\n\r\n  three  ", ["one", "two", "three"]),
        ("It cost 3.50 at example.com", ["It cost 3.50 at example.com"]),
        ("... --- ,", []),
    ],
)
def test_sentences_end_at_punctuation_and_line_breaks(review: str, expected: list[str]) -> None:
    assert [review[start:end] for start, end in sentences(review)] == expected


@given(st.text(alphabet="ab .!?\n<>&;\N{GRINNING FACE}", max_size=100))
def test_sentences_do_not_overlap_and_contain_every_word(review: str) -> None:
    spans = sentences(review)
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(edges)
    if "<" not in review and "&" not in review:
        assert all(any(start <= word.start < end for start, end in spans) for word in located_words(review))


@pytest.mark.parametrize("review", HOSTILE, ids=[ascii(text[:4]) for text in HOSTILE])
def test_run_time_is_linear_in_the_length_of_hostile_text(review: str) -> None:
    """A tenth of the text must take at least a fiftieth of the time: quadratic work would fail by far."""

    def seconds(text: str) -> float:
        started = time.process_time()
        words(text), located_words(text), sentences(text)
        return time.process_time() - started

    part = max(min(seconds(review[: len(review) // 10]) for _ in range(3)), 1e-3)
    assert seconds(review) < 50 * part
