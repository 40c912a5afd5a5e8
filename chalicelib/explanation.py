"""What moved a verdict: a review's sentences and words, re-scored exactly by leaving them out.

Rows for the re-scorings travel in the same call as the review's own row, so their number is bounded: first the
sentences (alone, and the review without each), then the words that the encoder's weights say could matter most. The
weights only choose which words are tried; every effect that is reported was scored by the model.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.encoder import Encoder
from chalicelib.ngram_features import NEGATIONS
from chalicelib.text import Span, Word, located_words, sentences

MOST_SENTENCES = 60  # of one review
MOST_WORDS_TRIED = 40
LEAST_SHARE_TRIED = 0.1  # of the loudest word's strength; what says less is not what moved a verdict
MOST_WORDS_TOLD = 12
LEAST_SHARE_TOLD = 0.05  # of the strongest word's effect; less is no reason to point at a word


@dataclass(frozen=True)
class Sentence:
    """A sentence at `start:end` of the submitted text (code points); `score` is the sentence's own, as a review."""

    text: str
    start: int
    end: int
    score: float
    effect: float


@dataclass(frozen=True)
class InfluentialWord:
    """A word that moved the score by `effect`; `places` are all its `(start, end)` in the submitted text."""

    text: str
    places: tuple[Span, ...]
    effect: float


@dataclass(frozen=True)
class Explanation:
    """The sentences in order, and the words that moved the score, strongest first."""

    sentences: tuple[Sentence, ...] = ()
    words: tuple[InfluentialWord, ...] = ()


@dataclass(frozen=True)
class Parts:
    """What will be left out: spans of sentences with the range of their words, and words with their positions."""

    review: str
    located: tuple[Word, ...]
    sentences: tuple[tuple[Span, range], ...]
    words: tuple[tuple[str, tuple[int, ...]], ...]
    cut: bool  # there were more sentences, or words worth trying, than rows for them


def split_parts(review: str, encoder: Encoder, largest_rows: int) -> Parts:
    """Choose the parts of a review to explain it by, for at most `largest_rows` rows beside its own."""
    located = tuple(located_words(review))
    spans = _word_ranges(review, located)
    told = spans[: min(MOST_SENTENCES, max(largest_rows, 0) // 2)]
    candidates = _candidates(located, encoder)[:MOST_WORDS_TRIED]
    tried = candidates[: max(largest_rows - 2 * len(told), 0)]
    cut = len(told) < len(spans) or len(tried) < len(candidates)
    return Parts(review, located, tuple(told), tuple(tried), cut)


def _word_ranges(review: str, located: Sequence[Word]) -> list[tuple[Span, range]]:
    """Pair every sentence's span with the range of word positions that begin in it."""
    starts = [word.start for word in located]
    return [(span, range(bisect_left(starts, span.start), bisect_left(starts, span.end))) for span in sentences(review)]


def _candidates(located: Sequence[Word], encoder: Encoder) -> list[tuple[str, tuple[int, ...]]]:
    """Return the distinct words that are loud enough, with their positions, the loudest first.

    A word is as loud as what its terms say where it stands loudest; a negation, as the word behind it.
    """
    texts = [word.text for word in located]
    absolute_weights = [*encoder.absolute_weights(texts), 0.0]
    loudness: dict[str, float] = defaultdict(float)
    positions: dict[str, list[int]] = defaultdict(list)
    for position, text in enumerate(texts):
        positions[text].append(position)
        reach = 2 if text in NEGATIONS else 1
        loudness[text] = max(loudness[text], *absolute_weights[position : position + reach])
    least = LEAST_SHARE_TRIED * max(loudness.values(), default=0.0)
    ranked = sorted((text for text in loudness if loudness[text] > least), key=lambda text: (-loudness[text], text))
    return [(text, tuple(positions[text])) for text in ranked]


def part_rows(parts: Parts, encoder: Encoder) -> list[str]:
    """Return the rows of all re-scorings: per sentence alone and without, then without each word."""
    texts = [word.text for word in parts.located]
    rows: list[str] = []
    for _, inside in parts.sentences:
        rows.append(encoder.row(texts[inside.start : inside.stop]))
        rows.append(encoder.row(texts[: inside.start] + texts[inside.stop :]))
    rows.extend(encoder.row([text for text in texts if text != word]) for word, _ in parts.words)
    return rows


def explain(parts: Parts, score: float, part_scores: Sequence[float]) -> Explanation:
    """Turn the review's score and those of `part_rows`, in the same order, into effects."""
    pairs = 2 * len(parts.sentences)
    told = tuple(
        Sentence(parts.review[span.start : span.end], span.start, span.end, alone, score - without)
        for (span, _), alone, without in zip(
            parts.sentences, part_scores[0:pairs:2], part_scores[1:pairs:2], strict=True
        )
    )
    moved = [
        InfluentialWord(word, tuple(Span(*parts.located[position][1:]) for position in positions), score - without)
        for (word, positions), without in zip(parts.words, part_scores[pairs:], strict=True)
    ]
    moved.sort(key=lambda word: -abs(word.effect))
    least = LEAST_SHARE_TOLD * max((abs(word.effect) for word in moved), default=0.0)
    return Explanation(told, tuple(word for word in moved[:MOST_WORDS_TOLD] if abs(word.effect) > least))
