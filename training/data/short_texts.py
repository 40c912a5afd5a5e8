"""Short labelled texts as training and evaluation use them: sentences, phrases, and the texts of templates."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from training.data.reviews import SHORT_TEXTS_NAME, ShortText, read_short_texts
from training.data.splits import TENTHS
from training.data.templates import SOURCE as TEMPLATES

NEUTRAL = 0.1  # a target this close to one half has no label


def short_texts(folder: Path, split: str) -> Iterator[ShortText]:
    """Yield the short texts of a split in a folder of data; of phrases with the same text only the first."""
    path = folder / SHORT_TEXTS_NAME
    yield from distinct_texts(read_short_texts(path) if path.exists() else (), split)


def distinct_texts(texts: Iterable[ShortText], split: str) -> Iterator[ShortText]:
    """Yield the texts of a split; of phrases with the same text only the first."""
    seen: set[str] = set()
    for text in texts:
        if text.split == split and (text.whole or text.text not in seen):
            seen.add(text.text)
            yield text


def labelled_sentences(folder: Path, split: str) -> Iterator[ShortText]:
    """Yield the whole sentences of a split that are not neutral: the binary task of Socher et al. (EMNLP 2013)."""
    return (text for text in short_texts(folder, split) if text.whole and has_label(text))


def has_label(text: ShortText) -> bool:
    """Return whether a text is positive or negative rather than neutral."""
    return abs(text.target - 0.5) >= NEUTRAL


def label_of(text: ShortText) -> int:
    """Return 1 for a positive text, 0 for a negative one."""
    return int(text.target > 0.5)


def kind_of(text: ShortText) -> str:
    """Return the kind of a short text: "sentence", "phrase" or "template"."""
    if text.source == TEMPLATES:
        return "template"
    return "sentence" if text.whole else "phrase"


def tenth_of(text: ShortText) -> int:
    """Return the tenth of a short text, 0..9; a sentence and its phrases share it, and so do the texts of a frame."""
    return text.group % TENTHS
