import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.text import MAX_REVIEW_LENGTH, clean, cut, located_words, sentences, words

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
    "\\" * 200_000,
    "\\n" * 100_000,
    "*" * 200_000,
    "* " * 100_000,
    "1 " * 100_000,
    "of 10 " + "1 of " * 40_000,
    "1 out of 10 " * 15_000,
    "of 10 " + "ten and a half " * 12_000,
    "thumbs " + "two big " * 25_000,
    "thumb" * 40_000,
    "a-" * 100_000,
    "a- " * 60_000,
    "grade " * 30_000,
    ":" * 200_000,
    ":-" * 100_000,
    ":(" * 100_000,
    ". :)" * 50_000,
    "^_" * 100_000,
    "\N{BLACK STAR}" * 200_000,
    "\N{BLACK STAR} \N{WHITE STAR}" * 60_000,
]
PARTS_OF_FORMS = (
    *"104523 */.,-+:;=()<^_!\\nABCDF\n",
    *("\N{BLACK STAR}", "\N{WHITE STAR}", "\N{VULGAR FRACTION ONE HALF}", "\N{THUMBS UP SIGN}", "\N{GRINNING FACE}"),
    *(
        " ",
        " out of ",
        " of ",
        " from ",
        "four",
        "ten",
        "two",
        " stars",
        "thumbs up",
        "grade: ",
        " and a half",
        "<br />",
    ),
)


@pytest.mark.parametrize(
    ("review", "expected"),
    [
        ("It's <b>GREAT</b>!", ["it's", "great", "!"]),
        ("I don\N{RIGHT SINGLE QUOTATION MARK}t like it", ["i", "don't", "like", "it"]),
        ("Fish &amp; chips &lt;3 it&#39;s", ["fish", "chips", ":)", "it's"]),
        ("good<br /><br />bad", ["good", "bad"]),
        ("7/10, really?!", ["7/10", "really", "?", "!"]),
        ("na\N{LATIN SMALL LETTER I WITH DIAERESIS}ve clich\N{LATIN SMALL LETTER E WITH ACUTE}", ["naive", "cliche"]),
        ("e\N{COMBINING ACUTE ACCENT}t e\N{COMBINING ACUTE ACCENT}", ["et", "e"]),
        ("\N{LATIN SMALL LIGATURE FI}lm \N{FULLWIDTH LATIN CAPITAL LETTER B}ad", ["film", "bad"]),
        ("hor\N{SOFT HYPHEN}rible hor\N{ZERO WIDTH SPACE}rible", ["horrible", "horrible"]),
        ("\x00good\x1fbad\x85ugly", ["good", "bad", "ugly"]),
        ("I <3 it, a > b", ["i", ":)", "it", "a", "b"]),
        ("\N{CYRILLIC SMALL LETTER DE} \N{EXTRATERRESTRIAL ALIEN}", []),
        ("\N{VULGAR FRACTION ONE HALF} star \N{DOUBLE EXCLAMATION MARK}", ["1/2", "star", "!", "!"]),
        ("Bad.\\n\\nBoring.\\r\\nLong\\tslow", ["bad", "boring", "long", "slow"]),  # as in many CSV files
        (
            r"I don\'t say \"no\" to C:\films or and\or",
            ["i", "don't", "say", "no", "to", "c", "films", "or", "and", "or"],
        ),
        ("", []),
    ],
)
def test_words_are_read_through_markup_entities_and_typography(review: str, expected: list[str]) -> None:
    assert words(review) == expected


@given(st.text(max_size=200))
@example("A\N{GRINNING FACE} 4<b>/5</b>, 3&frac12;/5 \N{BLACK STAR}\N{BLACK STAR}\N{VULGAR FRACTION ONE HALF} :-)\\nB-")
@example("<b>&eacute;&#769;</b>e\N{COMBINING ACUTE ACCENT}\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}")
def test_located_words_are_the_same_words(review: str) -> None:
    assert [word.text for word in located_words(review)] == words(review)


@given(st.lists(st.sampled_from(PARTS_OF_FORMS), max_size=30).map("".join))
def test_located_written_forms_are_the_same_words(review: str) -> None:
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


def test_a_span_covers_the_whole_written_form() -> None:
    stars = "\N{BLACK STAR}" * 3 + "\N{WHITE STAR}"
    review = f"Bad :-(( A <b>weak</b> 2 out of 5, not {stars}! \N{THUMBS DOWN SIGN}"
    found = {word.text: review[word.start : word.end] for word in located_words(review)}
    assert found[":("] == ":-(("
    assert found["4/10"] == "2 out of 5"
    assert found["8/10"] == stars
    assert found["2/10"] == "\N{THUMBS DOWN SIGN}"


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
        ("I give it 3.5/5. It is A-. Go", ["I give it 3.5/5.", "It is A-.", "Go"]),
        (
            "I hated it. :( Never again! \N{POUTING FACE} Bye",
            ["I hated it. :(", "Never again! \N{POUTING FACE}", "Bye"],
        ),
        ("Slow :) but good :)", ["Slow :) but good :)"]),
        (r"One.\n\nTwo\r\nthree.\nFour", ["One.", "Two", "three.", "Four"]),
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


def test_only_the_part_that_is_read_has_words() -> None:
    read = "good " * (MAX_REVIEW_LENGTH // 5)
    assert cut(read + "bad") == read
    assert set(words(read + "bad")) == {word.text for word in located_words(read + "bad")} == {"good"}
