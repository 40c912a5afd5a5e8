"""Generated texts: the training row is the serving row, and all offsets of an explanation fit the text."""

from functools import cache

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from chalicelib import release
from chalicelib.errors import EmptyReviewError
from chalicelib.explanation import explain_score
from chalicelib.highlight import divide
from chalicelib.release import Release
from chalicelib.sentiment import encode_explained
from chalicelib.text import MAX_REVIEW_LENGTH, located_words, sentences, words
from training.data.reviews import Review
from training.data.splits import TENTHS, Splits
from training.features import prepare

PIECES = (
    *("good", "not", "never", "isn't", "don't", "a", "the", "film", "waste of time", "10/10", "3 out of 5", "A-"),
    *(
        " ",
        " ",
        " ",
        " ",
        "\n",
        "\r\n",
        "\\n",
        ". ",
        "!",
        "?",
        "...",
        ", ",
        "-",
        "'",
        "\N{RIGHT SINGLE QUOTATION MARK}",
    ),
    *("<br />", "<b>", "</b>", "<", ">", "&amp;", "&eacute;", "&#39;", "&frac12;", "&#x1F600;", "&", ":-)", ":("),
    *("\N{BLACK STAR}", "\N{WHITE STAR}", "\N{VULGAR FRACTION ONE HALF}", "\N{GRINNING FACE}", "\N{THUMBS DOWN SIGN}"),
    *("e\N{COMBINING ACUTE ACCENT}", "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}", "\N{ZERO WIDTH JOINER}", "Mr. "),
)


@cache
def packaged() -> Release:
    """Load the packaged release once."""
    return release.load()


@cache
def texts() -> SearchStrategy[str]:
    """Return texts of any characters, of the words of the vocabulary, and of markup, ratings and emoticons."""
    any_word = st.sampled_from(sorted(packaged().encoder.vocabulary.terms)).map(lambda word: f"{word} ")
    pieces = st.sampled_from(PIECES) | any_word | st.text(max_size=6)
    return st.text(max_size=200) | st.lists(pieces, max_size=60).map("".join)


def check(text: str) -> None:
    """Raise `AssertionError` unless the rows are equal and the offsets fit; a text that JSON cannot hold is skipped."""
    try:
        encoded = encode_explained(text, packaged())
    except EmptyReviewError:
        return
    _require(training_row(text) == encoded.row, "the training row differs from the serving row")
    found = located_words(text)
    _require([word.text for word in found] == words(text), "the located words are other words")
    _require(all(0 <= word.start < word.end <= len(text) for word in found), "a word is outside the text")
    _require(all(text[span.start : span.end].strip() for span in sentences(text)), "a sentence is empty")
    if encoded.parts is None:
        return
    scores = [number % 10 / 10 for number in range(len(encoded.parts.rows))]  # many effects, so that words are marked
    explanation = explain_score(encoded.parts, 0.5, scores)
    segments = divide(text, explanation.sentences, explanation.words)
    pieces = [piece.text for segment in segments for piece in segment.pieces]
    _require("".join(pieces) == text, "the page's pieces are another text")
    for each in explanation.sentences:
        _require(text[each.start : each.end] == each.text, "a sentence's offsets are those of another text")


def training_row(text: str) -> str:
    """Return the row of a text in a train channel, as `verdict prepare` writes it."""
    review = Review("train", 0, 1, None, text[:MAX_REVIEW_LENGTH])
    [lines] = prepare.rows_of_part(row_job(), iter([review])).lines
    return lines.train.decode().split("\n")[0].partition(" ")[2]


@cache
def row_job() -> prepare.RowJob:
    """Return the input of the row writers: the packaged encoder for every review, and no excerpts."""
    encoders = dict.fromkeys([None, *range(TENTHS)], packaged().encoder)
    return prepare.RowJob(encoders, Splits(1), prepare.FeatureRecipe(excerpts=False), frozenset())


def _require(holds: bool, promise: str) -> None:
    """Raise `AssertionError` if a promise is broken."""
    if not holds:
        raise AssertionError(promise)
