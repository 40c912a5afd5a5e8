"""The encoder from a review's words to a libsvm row, used by both training and serving.

A row holds, in this order: the constant `0:1`; `column:1` for every word of the vocabulary that occurs, once each
(columns 1..N in the order of the vocabulary); the n-gram features, which are always present and never 0; and the
constant `last:1`. A word column that is absent is missing, which XGBoost does not treat as zero: see
docs/explanation/no-skew.md for the constants, and for what goes wrong without them.
"""

import hashlib
from collections.abc import Sequence
from functools import cached_property

from chalicelib.ngram_features import COLUMNS, NgramTable
from chalicelib.text import CLEANER_VERSION
from chalicelib.vocabulary import Vocabulary

ENCODING = f"presence of words, {len(COLUMNS)} n-gram columns, negation scopes, libsvm, constant first and last column"
FINGERPRINT_LENGTH = 12  # hexadecimal digits; they are part of an endpoint's name


class Encoder:
    """A vocabulary and its n-gram table; without a table, a row has the words alone."""

    def __init__(self, vocabulary: Vocabulary, ngram_table: NgramTable | None) -> None:
        self.vocabulary = vocabulary
        self.ngram_table = ngram_table
        self.first_derived = len(vocabulary) + 1
        self.last_column = self.first_derived + (len(COLUMNS) if ngram_table else 0)  # the closing constant
        self._derived = "".join(f" {column}:%d" for column in range(self.first_derived, self.last_column))

    @property
    def columns(self) -> int:
        """The number of columns, from 0 to the closing constant."""
        return self.last_column + 1

    @cached_property
    def fingerprint(self) -> str:
        """A hash (12 hexadecimal digits) of what determines a row: cleaner version, encoding, words, n-gram table."""
        table = self.ngram_table.sha256 if self.ngram_table else "no n-grams"
        contract = "\n".join([str(CLEANER_VERSION), ENCODING, table, *self.vocabulary.terms])
        return hashlib.sha256(contract.encode()).hexdigest()[:FINGERPRINT_LENGTH]

    def row(self, words: Sequence[str]) -> str:
        """Return the libsvm row of a review's words: `"0:1 17:1 4031:1 6001:100214 ... 6024:1"`."""
        named = (0, *self.vocabulary.columns(words))
        present = ("%d:1 " * len(named) % named)[:-1]
        derived = self._derived % tuple(self.ngram_table.columns(words)) if self.ngram_table else ""
        return f"{present}{derived} {self.last_column}:1"

    def known_share(self, words: Sequence[str]) -> float:
        """Return the share (0..1) of a review's words with a column or a weight in the table; 0.0 for no words."""
        others = [word for word in words if word not in self.vocabulary]
        unknown = self.ngram_table.word_slots(others).count(0) if self.ngram_table else len(others)
        return (len(words) - unknown) / len(words) if words else 0.0

    def word_weights(self, words: Sequence[str]) -> list[float]:
        """Return the absolute weight of each word on its own: a hint at which words affect the score most."""
        if self.ngram_table:
            return [float(abs(units)) for units in self.ngram_table.word_weights(words)]
        return [abs(self.vocabulary.weight(word)) for word in words]
