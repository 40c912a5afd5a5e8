"""Made-up reviews with the word statistics of real ones, in any number, for the benchmark of size.

Word frequencies follow the Zipf curve of the labelled reviews, with a tail that goes on for two million words, so that
new words and n-grams keep coming. Half of the words are drawn from the few that often follow the word before, so that
pairs repeat as in English. Lengths are log-normal. Some words lean to a label, so labels can be learned. No text of a
real review is here: the statistics are those of `_FREQUENCY` and `_LENGTH`.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.data.reviews import LABEL_NAMES, MANIFEST_NAME, REVIEWS_NAME, UNLABELLED_NAME, Manifest

_COMMON_LIST = """
the and a of to is it in i this that was as for with movie but film on not you he are his have be one ! at by
all an they so who like from or just about out if has there what some good when very more ? up would no even my
which only really had see story can their were her me well than much bad get we been other great also will do
because into how people first don't most him too its then after make way could any movies think characters never
"""
_COMMON = _COMMON_LIST.split()
_LENGTH = (5.24, 0.64)  # mean and standard deviation of the logarithm of a review's number of words
_LENGTHS = (10, 1_500)  # words
_FREQUENCY = ((1_000, 1.05), (2_000_000, 1.35))  # up to a rank: the exponent of the Zipf curve
_RANK_OFFSET = 2.0
_FOLLOWERS, _FOLLOWING = 12, 0.5  # words that often follow a word, and how often one of them does
_LEANING = (120, 20_000)  # the ranks of words that may lean to a label
_LEANING_SHARE, _AVOIDED = 0.25, 0.25  # of them lean; how often one of the other label is replaced
_SENTENCE = 19  # words
_BATCH = 1_000  # reviews
_VOWELS, _CONSONANTS = "aeiou", "bcdfghjklmnprstvwz"
_MIX = np.uint64(0x9E3779B97F4A7C15)

Ranks = npt.NDArray[np.int64]


@cache
def _cumulative() -> npt.NDArray[np.float64]:
    """Return the share of words up to each rank."""
    ranks = np.arange(1, _FREQUENCY[-1][0] + 1) + _RANK_OFFSET
    (turn, first), (_, second) = _FREQUENCY
    weights = np.where(ranks <= turn, ranks**-first, ranks**-second * turn ** (second - first))
    shares: npt.NDArray[np.float64] = np.cumsum(weights) / weights.sum()
    return shares


def _ranks_at(shares: npt.NDArray[np.float64]) -> Ranks:
    """Return the ranks at these shares, 0..1, of the Zipf curve."""
    return np.minimum(np.searchsorted(_cumulative(), shares), len(_cumulative()) - 1).astype(np.int64)


def _hashed(values: Ranks) -> npt.NDArray[np.float64]:
    """Return a fixed number, 0..1, for each value."""
    mixed = (values.astype(np.uint64) + np.uint64(1)) * _MIX
    mixed = (mixed ^ (mixed >> np.uint64(29))) * _MIX
    fixed: npt.NDArray[np.float64] = (mixed >> np.uint64(11)).astype(np.float64) / (1 << 53)
    return fixed


def _word(rank: int) -> str:
    """Return the made-up word of a rank: 0 is the most frequent."""
    if rank < len(_COMMON):
        return _COMMON[rank]
    letters = ""
    while rank:
        rank, consonant = divmod(rank, len(_CONSONANTS))
        rank, vowel = divmod(rank, len(_VOWELS))
        letters += _CONSONANTS[consonant] + _VOWELS[vowel]
    return letters + "x"


def _words_of_batch(labels: Ranks, generator: np.random.Generator) -> tuple[Ranks, Ranks]:
    """Return the ranks of the words of reviews, (words, reviews), and the number of words of each review."""
    lengths = np.clip(generator.lognormal(*_LENGTH, len(labels)), *_LENGTHS).astype(np.int64)
    words = np.zeros((int(lengths.max()), len(labels)), np.int64)
    before = _ranks_at(generator.random(len(labels)))
    for position in range(len(words)):
        fresh = _ranks_at(generator.random(len(labels)))
        follower = np.minimum(generator.geometric(0.3, len(labels)), _FOLLOWERS)
        following = _ranks_at(_hashed(before * _FOLLOWERS + follower))
        drawn = np.where(generator.random(len(labels)) < _FOLLOWING, following, fresh)
        avoided = (_leaning(drawn) == -labels) & (generator.random(len(labels)) < _AVOIDED)
        before = words[position] = np.where(avoided, fresh, drawn)
    return words, lengths


def _leaning(ranks: Ranks) -> Ranks:
    """Return 1 for words that lean to positive, -1 for negative ones, and 0 for others."""
    fixed = _hashed(ranks * 7 + 3)
    leans = (ranks >= _LEANING[0]) & (ranks < _LEANING[1]) & (fixed < _LEANING_SHARE)
    return np.where(leans, np.where(fixed < _LEANING_SHARE / 2, 1, -1), 0)


def made_up_texts(labels: Ranks, seed: int) -> Iterator[str]:
    """Yield a review for each label: 1 for positive, -1 for negative, 0 for either."""
    words, lengths = _words_of_batch(labels, np.random.default_rng(seed))
    for column, length in enumerate(lengths.tolist()):
        named = [_word(rank) for rank in words[:length, column].tolist()]
        sentences = (named[start : start + _SENTENCE] for start in range(0, length, _SENTENCE))
        yield ". ".join(" ".join(sentence).capitalize() for sentence in sentences) + "."


def write_reviews(folder: Path, reviews: int, unlabelled: int) -> None:
    """Write a folder of data with given numbers of labelled and unlabelled training reviews, as step `data` would."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {REVIEWS_NAME: _write(folder / REVIEWS_NAME, reviews, labelled=True)}
    if unlabelled:
        files[UNLABELLED_NAME] = _write(folder / UNLABELLED_NAME, unlabelled, labelled=False)
    joined = "".join(f"{files[name]}  {name}\n" for name in sorted(files)).encode()
    fingerprint = files[REVIEWS_NAME] if len(files) == 1 else hashlib.sha256(joined).hexdigest()
    counts = {"train": dict.fromkeys(LABEL_NAMES, reviews // 2)}
    manifest = Manifest("made-up reviews", fingerprint, counts, 0, {"train": 0}, 0, unlabelled=unlabelled, files=files)
    (folder / MANIFEST_NAME).write_text(json.dumps(asdict(manifest)) + "\n", encoding="utf-8")


def _write(path: Path, count: int, labelled: bool) -> str:
    """Write a file of reviews; returns its SHA-256."""
    sha256 = hashlib.sha256()
    with path.open("wb") as file:
        for start in range(0, count, _BATCH):
            size = min(_BATCH, count - start)
            labels = np.arange(size) % 2 * 2 - 1 if labelled else np.zeros(size, np.int64)
            for number, text in enumerate(made_up_texts(labels, 2 * start + labelled), start):
                line = json.dumps(_record(number, text, labelled)).encode() + b"\n"
                sha256.update(line)
                file.write(line)
    return sha256.hexdigest()


def _record(number: int, text: str, labelled: bool) -> dict[str, str | int | None]:
    """Return a review as its file has it."""
    if not labelled:
        return {"number": number, "movie": None, "text": text}
    return {"split": "train", "number": number // 2, "label": number % 2, "rating": None, "text": text}
