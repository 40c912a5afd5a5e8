"""The sentences that this project's authors wrote to evaluate releases.

They are in tests/model: `sentences.jsonl`, and the forty most obvious ones in `obvious.jsonl`. Those of the first were
all written before a model scored any of them. They are for evaluation only: nothing is trained or chosen on them, and
`training.data.templates` leaves out every generated text that is one of them.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from training.project import ROOT

SENTENCES = ROOT / "tests" / "model" / "sentences.jsonl"
OBVIOUS = SENTENCES.with_name("obvious.jsonl")


@dataclass(frozen=True)
class LabelledSentence:
    """A sentence with its label ("positive" or "negative") and kind.

    `bag_of_words` is whether a model of n-grams of up to three words can be expected to classify it; if not, `reason`
    explains why. The two sentences of a minimal pair have the same number `pair`: they share most of their words and
    have opposite labels. All pairs are expected, also where an n-gram has to know that it is inside a negation.
    """

    text: str
    label: str
    kind: str
    bag_of_words: bool
    reason: str = ""
    pair: int | None = None


def load_sentences(path: Path = SENTENCES) -> list[LabelledSentence]:
    """Read a JSON Lines file of sentences."""
    return [LabelledSentence(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
