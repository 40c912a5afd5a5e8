"""The explanation of a score: each sentence's own score, and what a sentence's score loses without one of its words.

The score of a long review is saturated: without one word or sentence it hardly changes. So every sentence is scored as
a review of its own, and a word is scored by its sentence with and without it. All rows for this are of a sentence's
length, so the work is linear in the text. The effects on the score of the whole review need rows of the review's
length; they are computed for as many parts as `REVIEW_LEVEL_WORDS` allows, by decreasing weight, and are None for the
others.

The encoder's weights only choose the words; every reported effect is a difference of two scores of the model.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from chalicelib.encoder import Encoder
from chalicelib.negation import NEGATORS
from chalicelib.text import Span, Word, located_words, sentences

MAX_SENTENCES = 200  # of one review
MIN_CANDIDATES, WORDS_PER_CANDIDATE = 1, 12  # candidates of a sentence: 1, and another for every 12 words of it
FEW_CANDIDATES = 8  # a review of few sentences has as many as this
MAX_CANDIDATES = 45  # of one review
NEGATION_REACH = 3  # words
MIN_CANDIDATE_SHARE = 0.06  # of the largest absolute weight in the review; a smaller one hardly affects a score
MAX_WORDS = 40
MAX_PLACES = 20  # of one word in a sentence
MIN_WORD_EFFECT = 0.01  # on its sentence's score; a smaller effect is not reported
REVIEW_LEVEL_WORDS = 1_000  # of the rows for effects on the whole review
ROW_WORK = 40  # the work for an empty row, in words
STRONG = 0.3  # a sentence's distance from 0.5
MIN_MIXED_SHARE = 1 / 3  # of the strong sentences; the lesser side has at least this share in a mixed review

# Words and marks that carry no opinion of their own. Negations are not among them.
_FUNCTION_WORD_LIST = """
a an the this that these those such and or but if as than so then because while although though whether i me my mine
myself we us our ours ourselves you your yours yourself he him his himself she her hers herself it its itself it's
that's they them their theirs themselves who whom whose which what when where why how there here i'm i've i'd i'll
you're you've you'd you'll he's she's we're we've they're they've there's here's what's who's let's am is are was
were be been being have has had having do does did doing done can could will would shall should may might must of in
on at by for from to with into onto about over under after before between through during against above below out off
up down again once also s t d ll re ve m one two some any all each both other another own same film films movie
movies ! ?
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORD_LIST.split())


class Sentence(NamedTuple):
    """A sentence at `start:end` of the submitted text (code points).

    `score` is that of the sentence as a review. `effect` is the review's score minus its score without the sentence;
    None if it was not computed.
    """

    text: str
    start: int
    end: int
    score: float
    effect: float | None


class InfluentialWord(NamedTuple):
    """A word with an effect on the score of its sentence; `places` are its spans in that sentence.

    `sentence_effect` is the sentence's score minus its score without the word, `sentence` the sentence's index.
    `effect` is the review's score minus its score without any occurrence of the word; None if it was not computed.
    """

    text: str
    places: tuple[Span, ...]
    effect: float | None
    sentence_effect: float
    sentence: int | None


class Explanation(NamedTuple):
    """The sentences in order, and the influential words, strongest first.

    `mixed` is whether some strong sentences are positive and others negative.
    """

    sentences: tuple[Sentence, ...] = ()
    words: tuple[InfluentialWord, ...] = ()
    mixed: bool = False


@dataclass
class Budget:
    """What is left for explanations in a call: rows, bytes, and work in encoded words."""

    rows: int
    bytes: int
    work: int

    def encode(self, words: Sequence[str], encoder: Encoder) -> str | None:
        """Return a row, and charge it; None if there is no room for it."""
        work = len(words) + ROW_WORK
        if self.rows < 1 or work > self.work:
            return None
        self.work -= work
        row = encoder.row(words)
        if len(row) >= self.bytes:
            return None
        self.rows -= 1
        self.bytes -= len(row) + 1
        return row


class Candidate(NamedTuple):
    """A word that may affect the score of the sentence with index `sentence`, with its places in the review."""

    text: str
    sentence: int
    places: tuple[Span, ...]
    weight: float  # the largest absolute weight of its places


@dataclass
class Parts:
    """The parts of a review and the rows that explain them.

    The keys of `rows` say what a row holds: `(sentence, None)` the sentence, `(sentence, word)` the sentence without
    the word, `(None, sentence)` the review without the sentence, and `(None, word)` the review without the word.
    """

    review: str
    spans: tuple[Span, ...]
    candidates: tuple[Candidate, ...] = ()
    rows: dict[tuple[int | None, int | str | None], str] = field(default_factory=dict)
    truncated: bool = False  # there are more sentences or candidates than rows for them
    over_budget: bool = False  # the budget has no room for a row that was needed


def split_parts(review: str, encoder: Encoder, budget: Budget) -> Parts:
    """Select the parts of a review to score, and encode their rows within the budget."""
    all_spans = sentences(review)
    parts = Parts(review, tuple(all_spans[:MAX_SENTENCES]), truncated=len(all_spans) > MAX_SENTENCES)
    located = [_located(review, span) for span in parts.spans]
    texts = [[word.text for word in words] for words in located]
    if not all(_add(parts, (index, None), words, encoder, budget) for index, words in enumerate(texts)):
        return parts
    weights = [encoder.word_weights(words) for words in texts]
    parts.candidates = tuple(_candidates(located, weights))
    for each in parts.candidates:
        rest = [text for text in texts[each.sentence] if text != each.text]
        if not _add(parts, (each.sentence, each.text), rest, encoder, budget):
            return parts
    _add_review_level_rows(parts, texts, [sum(each) for each in weights], encoder, budget)
    return parts


def _add(
    parts: Parts, key: tuple[int | None, int | str | None], words: Sequence[str], encoder: Encoder, budget: Budget
) -> bool:
    """Add a row if the budget has room for it; returns whether it has."""
    row = budget.encode(words, encoder)
    if row is None:
        parts.truncated = parts.over_budget = True
        return False
    parts.rows[key] = row
    return True


def _located(review: str, span: Span) -> list[Word]:
    """Return the words of a sentence, cleaned as a review of its own, with their positions in the review."""
    words = located_words(review[span.start : span.end])
    return [Word(word.text, word.start + span.start, word.end + span.start) for word in words]


def _candidates(located: Sequence[Sequence[Word]], weights: Sequence[Sequence[float]]) -> list[Candidate]:
    """Return the words most likely to affect their sentences' scores, by decreasing absolute weight."""
    found: list[Candidate] = []
    for index, words in enumerate(located):
        count = max(MIN_CANDIDATES + len(words) // WORDS_PER_CANDIDATE, FEW_CANDIDATES // len(located))
        found += _candidates_of_sentence(index, words, weights[index])[:count]
    found.sort(key=lambda candidate: (-candidate.weight, candidate.sentence))
    minimum = MIN_CANDIDATE_SHARE * max((candidate.weight for candidate in found), default=0.0)
    return [candidate for candidate in found[:MAX_CANDIDATES] if candidate.weight > minimum]


def _candidates_of_sentence(index: int, words: Sequence[Word], weights: Sequence[float]) -> list[Candidate]:
    """Return the content words of a sentence by decreasing absolute weight.

    The weight of a negation is at least that of each word that it may negate.
    """
    largest: dict[str, float] = {}
    places: dict[str, list[Span]] = {}
    for position, (text, start, end) in enumerate(words):
        if text in FUNCTION_WORDS:
            continue
        reach = NEGATION_REACH + 1 if text in NEGATORS else 1
        largest[text] = max(largest.get(text, 0.0), *weights[position : position + reach])
        places.setdefault(text, []).append(Span(start, end))
    ranked = sorted(largest, key=lambda text: (-largest[text], text))
    return [Candidate(text, index, tuple(places[text][:MAX_PLACES]), largest[text]) for text in ranked]


def _add_review_level_rows(
    parts: Parts, texts: Sequence[Sequence[str]], sentence_weights: Sequence[float], encoder: Encoder, budget: Budget
) -> None:
    """Add rows of the review without a sentence or a word, in turns, as far as their own limit of words goes."""
    review = [text for words in texts for text in words]
    by_weight = sorted(range(len(texts)), key=lambda index: -sentence_weights[index])
    distinct = list(dict.fromkeys(candidate.text for candidate in parts.candidates))
    count = REVIEW_LEVEL_WORDS // (len(review) or 1)
    for part in list(_in_turns(by_weight, distinct))[:count]:
        rest = (
            [text for text in review if text != part]
            if isinstance(part, str)
            else [text for index, words in enumerate(texts) if index != part for text in words]
        )
        row = budget.encode(rest, encoder)
        if row is None:
            return
        parts.rows[None, part] = row


def _in_turns(first: Sequence[int], second: Sequence[str]) -> Iterator[int | str]:
    """Yield the items of both lists in turns, then the rest of the longer one."""
    for position in range(max(len(first), len(second))):
        yield from first[position : position + 1]
        yield from second[position : position + 1]


def explain_score(parts: Parts, score: float, part_scores: Sequence[float]) -> Explanation:
    """Compute the effects from the review's score and the scores of the rows of its parts, in their order."""
    scores = dict(zip(parts.rows, part_scores, strict=True))

    def effect(part: int | str) -> float | None:
        return score - scores[None, part] if (None, part) in scores else None

    explained = tuple(
        Sentence(parts.review[span.start : span.end], span.start, span.end, scores[index, None], effect(index))
        for index, span in enumerate(parts.spans)
        if (index, None) in scores
    )
    words = [
        InfluentialWord(
            each.text, each.places, effect(each.text), explained[each.sentence].score - without, each.sentence
        )
        for each in parts.candidates
        for without in [scores.get((each.sentence, each.text))]
        if without is not None
    ]
    words = sorted(
        (word for word in words if abs(word.sentence_effect) >= MIN_WORD_EFFECT),
        key=lambda word: -abs(word.sentence_effect),
    )
    return Explanation(explained, tuple(words[:MAX_WORDS]), is_mixed([sentence.score for sentence in explained]))


def is_mixed(sentence_scores: Sequence[float]) -> bool:
    """Return whether enough of the strong sentences are positive, and enough negative."""
    positive = sum(score >= 0.5 + STRONG for score in sentence_scores)
    negative = sum(score <= 0.5 - STRONG for score in sentence_scores)
    return min(positive, negative) >= max(MIN_MIXED_SHARE * (positive + negative), 1)
