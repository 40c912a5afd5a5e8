"""The explanation of a score: the effects of sentences and words, by scoring the review again without each of them.

The rows for this are sent in the same call as the review's own row, so their number is limited: first those of
sentences (each alone, and the review without it), then those of the words with the largest absolute weights. The
weights only select the words; every reported effect is a difference of two scores of the model.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.encoder import Encoder
from chalicelib.ngram_features import NEGATIONS
from chalicelib.text import Span, Word, located_words, sentences

MAX_SENTENCES = 60  # of one review
MAX_CANDIDATES = 40  # words
MIN_CANDIDATE_SHARE = 0.1  # of the largest absolute weight; a smaller one hardly affects a score
MAX_WORDS = 12
MIN_WORD_SHARE = 0.05  # of the strongest word's effect; a smaller effect is not reported


@dataclass(frozen=True)
class Sentence:
    """A sentence at `start:end` of the submitted text (code points); `score` is that of the sentence as a review."""

    text: str
    start: int
    end: int
    score: float
    effect: float


@dataclass(frozen=True)
class InfluentialWord:
    """A word with an effect on the score; `places` are all its spans in the submitted text."""

    text: str
    places: tuple[Span, ...]
    effect: float


@dataclass(frozen=True)
class Explanation:
    """The sentences in order, and the influential words, strongest first."""

    sentences: tuple[Sentence, ...] = ()
    words: tuple[InfluentialWord, ...] = ()


@dataclass(frozen=True)
class Parts:
    """The parts to leave out: sentences with the range of their word positions, and words with their positions."""

    review: str
    located: tuple[Word, ...]
    sentences: tuple[tuple[Span, range], ...]
    words: tuple[tuple[str, tuple[int, ...]], ...]
    truncated: bool  # there are more sentences or candidates than rows for them


def split_parts(review: str, encoder: Encoder, max_rows: int) -> Parts:
    """Select the sentences and words to leave out of a review, for at most `max_rows` rows beside its own."""
    located = tuple(located_words(review))
    all_sentences = _word_ranges(review, located)
    kept_sentences = all_sentences[: min(MAX_SENTENCES, max(max_rows, 0) // 2)]
    candidates = _candidates(located, encoder)[:MAX_CANDIDATES]
    kept_words = candidates[: max(max_rows - 2 * len(kept_sentences), 0)]
    truncated = len(kept_sentences) < len(all_sentences) or len(kept_words) < len(candidates)
    return Parts(review, located, tuple(kept_sentences), tuple(kept_words), truncated)


def _word_ranges(review: str, located: Sequence[Word]) -> list[tuple[Span, range]]:
    """Pair every sentence's span with the range of its word positions."""
    starts = [word.start for word in located]
    return [(span, range(bisect_left(starts, span.start), bisect_left(starts, span.end))) for span in sentences(review)]


def _candidates(located: Sequence[Word], encoder: Encoder) -> list[tuple[str, tuple[int, ...]]]:
    """Return the distinct words that may affect the score, with their positions, by decreasing absolute weight.

    The absolute weight of a word is the largest of all its positions; of a negation, also of the word after it.
    """
    texts = [word.text for word in located]
    weights = [*encoder.absolute_weights(texts), 0.0]
    largest: dict[str, float] = defaultdict(float)
    positions: dict[str, list[int]] = defaultdict(list)
    for position, text in enumerate(texts):
        positions[text].append(position)
        reach = 2 if text in NEGATIONS else 1
        largest[text] = max(largest[text], *weights[position : position + reach])
    minimum = MIN_CANDIDATE_SHARE * max(largest.values(), default=0.0)
    ranked = sorted((text for text in largest if largest[text] > minimum), key=lambda text: (-largest[text], text))
    return [(text, tuple(positions[text])) for text in ranked]


def part_rows(parts: Parts, encoder: Encoder) -> list[str]:
    """Return the rows to score: for each sentence, it alone and the review without it; then without each word."""
    texts = [word.text for word in parts.located]
    rows: list[str] = []
    for _, inside in parts.sentences:
        rows.append(encoder.row(texts[inside.start : inside.stop]))
        rows.append(encoder.row(texts[: inside.start] + texts[inside.stop :]))
    rows.extend(encoder.row([text for text in texts if text != word]) for word, _ in parts.words)
    return rows


def explain_score(parts: Parts, score: float, part_scores: Sequence[float]) -> Explanation:
    """Compute the effects from the review's score and the scores of `part_rows`, in their order."""
    remaining = iter(part_scores)
    explained: list[Sentence] = []
    for span, _ in parts.sentences:
        alone, without = next(remaining), next(remaining)
        explained.append(Sentence(parts.review[span.start : span.end], span.start, span.end, alone, score - without))
    words = [
        InfluentialWord(word, tuple(Span(*parts.located[position][1:]) for position in positions), score - without)
        for (word, positions), without in zip(parts.words, remaining, strict=True)
    ]
    words.sort(key=lambda word: -abs(word.effect))
    minimum = MIN_WORD_SHARE * max((abs(word.effect) for word in words), default=0.0)
    return Explanation(tuple(explained), tuple(word for word in words[:MAX_WORDS] if abs(word.effect) > minimum))
