"""A review's words -> a libsvm row: the one encoder, called in training and in serving alike.

A row holds, in this order: the constant `0:1`; `column:1` for every word of the vocabulary that occurs, once each
(columns 1..N in the order of the vocabulary); the derived columns of the evidence, which are always there and never
0; and the constant `last:1`. Word columns that are not named are missing, which is not zero to XGBoost: see
docs/architecture.md for the constants, and for what goes wrong without them.
"""

import hashlib
from collections.abc import Sequence
from functools import cached_property

from chalicelib.ngram_features import COLUMNS, Evidence
from chalicelib.text import CLEANER_VERSION
from chalicelib.vocabulary import Vocabulary

ENCODING = f"presence of words, {len(COLUMNS)} columns of evidence, libsvm, constant first and last column"
FINGERPRINT_LENGTH = 12  # hexadecimal digits; an endpoint's name carries them


class Encoder:
    """A vocabulary and the evidence beside it; without evidence, a row has the words alone."""

    def __init__(self, vocabulary: Vocabulary, evidence: Evidence | None) -> None:
        self.vocabulary = vocabulary
        self.evidence = evidence
        self.first_derived = len(vocabulary) + 1
        self.last_column = self.first_derived + (len(COLUMNS) if evidence else 0)  # the closing constant
        self._derived = "".join(f" {column}:%d" for column in range(self.first_derived, self.last_column))

    @property
    def columns(self) -> int:
        """How many columns a row has, from 0 to the closing constant."""
        return self.last_column + 1

    @cached_property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits over all that decides a row: cleaner version, encoding, words and evidence."""
        learned = self.evidence.sha256 if self.evidence else "no evidence"
        contract = "\n".join([str(CLEANER_VERSION), ENCODING, learned, *self.vocabulary.terms])
        return hashlib.sha256(contract.encode()).hexdigest()[:FINGERPRINT_LENGTH]

    def row(self, words: Sequence[str]) -> str:
        """Return the libsvm row of a review's words: `"0:1 17:1 4031:1 6001:100214 ... 6024:1"`."""
        named = (0, *self.vocabulary.columns(words))
        present = ("%d:1 " * len(named) % named)[:-1]
        derived = self._derived % tuple(self.evidence.columns(words)) if self.evidence else ""
        return f"{present}{derived} {self.last_column}:1"

    def strengths(self, words: Sequence[str]) -> list[float]:
        """Return how loudly each word speaks where it stands, either way: which words are worth a closer look."""
        if self.evidence:
            return [float(abs(units)) for units in self.evidence.by_place(words)]
        return [abs(self.vocabulary.weight(word)) for word in words]
