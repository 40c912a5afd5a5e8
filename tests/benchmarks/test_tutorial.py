from benchmarks.tutorial import VOCABULARY_SIZE, counts_of, row_of, word_columns, words_of
from chalicelib import release
from chalicelib.vocabulary import Vocabulary


def test_markup_and_punctuation_are_removed() -> None:
    review = 'It\'s GREAT.<br /><br />Not bad; well-made (7/10), "truly"!'
    assert words_of(review) == ["its", "greatnot", "bad", "well", "made", "7", "10", "truly"]


def test_known_words_are_counted_in_their_columns() -> None:
    counts = counts_of(["good", "film", "good", "unheard"], {"film": 2, "good": 7})
    assert len(counts) == VOCABULARY_SIZE
    assert {column: count for column, count in enumerate(counts) if count} == {2: 1, 7: 2}


def test_a_row_has_a_number_for_every_word_of_the_vocabulary() -> None:
    row = row_of("Good film, good!", {"film": 0, "good": 1})
    assert row.startswith("1,2,0,0,")
    assert len(row) == 2 * VOCABULARY_SIZE - 1


def test_the_vocabulary_has_the_tutorials_size() -> None:
    column_of = word_columns(release.load().encoder.vocabulary)
    assert sorted(column_of.values()) == list(range(VOCABULARY_SIZE))
    assert set("abcdefghilmnoprstuvwy") <= {word[0] for word in column_of}  # spread over the alphabet


def test_the_vocabulary_has_words_only() -> None:
    assert word_columns(Vocabulary(["good", "7/10", "!", "don't", "bad"], [1.0] * 5)) == {"bad": 0, "good": 1}
