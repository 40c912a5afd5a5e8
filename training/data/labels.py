"""The scale of a label or rating column, decided over the whole file; static/labels.js follows the same rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from training.data.columns import LABEL_NAMES, normalized
from training.data.reviews import DataError

MAX_VALUES = 200  # different values of a column that may be labels
WORDS = {"positive": 1, "pos": 1, "true": 1, "negative": 0, "neg": 0, "false": 0, "neutral": None, "mixed": None}


@dataclass(frozen=True)
class Scale:
    """How the values of a column are labels.

    `label` returns 1 for positive, 0 for negative, and None for a middle value. `rating` is None, or returns the stars
    (1..10) of a number.
    """

    description: str
    label: Callable[[str], int | None]
    rating: Callable[[float], float] | None = None

    def label_of(self, value: str) -> int | None:
        """Return the label of a value of the column; None for a middle or missing one."""
        return self.label(value) if value else None

    def rating_of(self, value: str) -> int | None:
        """Return the stars (1..10) of a value, if the scale is one of ratings and they are a whole number."""
        stars = self.rating(float(value)) if self.rating and value else 0.5
        return int(stars) if stars.is_integer() else None


def cleaned(value: object) -> str:
    """Return a label without case and surrounding spaces; empty if it is missing."""
    return "" if value is None else str(value).strip().lower()


def choose_scale(file: str, column: str, first_lines: Mapping[str, int]) -> Scale:
    """Return the scale of a column from its name and all of its values, each with the first line that has it.

    Raises `DataError` if the values fit no scale, with the line of the first value that does not fit.
    """
    values = [value for value in first_lines if value]
    if not values:
        raise DataError(f"{file}: the {column} is empty, so there are no labels.")
    if len(first_lines) > MAX_VALUES:
        raise DataError(f"{file}: the {column} holds more than {MAX_VALUES} different values, so it has no labels.")
    if any(value in WORDS for value in values):
        _refuse_unknown(file, first_lines, lambda value: value in WORDS)
        return Scale("words", lambda value: WORDS[value])
    _refuse_unknown(file, first_lines, _is_number)
    scale = _scale_of(sorted(map(float, values)), normalized(column.removeprefix("column ")) in LABEL_NAMES[1])
    if scale:
        return scale
    listed = ", ".join(values[:10])
    raise DataError(
        f"{file}: the values of the {column} ({listed}) fit no known scale. Use positive and negative, 1 and 0, "
        "1 to 5 stars, or ratings up to 10."
    )


def _refuse_unknown(file: str, first_lines: Mapping[str, int], is_known: Callable[[str], bool]) -> None:
    """Raise `DataError` with the line of the first value that is not known."""
    for value, line in first_lines.items():
        if value and not is_known(value):
            raise DataError(
                f"{file}, line {line}: unknown label {value[:40]!r}. Use positive and negative, 1 and 0, 1 to 5 stars, "
                "or ratings up to 10."
            )


def _is_number(value: str) -> bool:
    """Return whether a value is a finite number."""
    try:
        return abs(float(value)) < float("inf")
    except ValueError:
        return False


def _scale_of(values: list[float], is_rating: bool) -> Scale | None:
    """Return the scale of sorted numbers; None if they fit none, or several."""
    least, most = values[0], values[-1]
    if set(values) <= {0, 1} and not (is_rating and least == 1):
        return Scale("0 is negative, 1 is positive", lambda value: int(float(value)))
    if set(values) <= {-1, 0, 1} and least == -1:
        return Scale("-1 is negative, 1 is positive", _graded(-1, 1))
    if least == 0 and most == 4 and all(value.is_integer() for value in values):
        return Scale("0 to 4: 0 and 1 are negative, 3 and 4 are positive", _graded(1, 3))
    if least >= 0.5 and 3 < most <= 5:
        description = "1 to 5 stars: up to 2 is negative, from 3.5 is positive"
        return Scale(description, _graded(2, 3.5), lambda stars: 2 * stars)
    if least >= 0 and 5 < most <= 10:
        return Scale("ratings up to 10: up to 4 is negative, from 7 is positive", _graded(4, 7), lambda stars: stars)
    return None


def _graded(negative: float, positive: float) -> Callable[[str], int | None]:
    """Return a function that labels numbers up to `negative` 0, from `positive` 1, and None between."""

    def label(value: str) -> int | None:
        number = float(value)
        return 0 if number <= negative else 1 if number >= positive else None

    return label
