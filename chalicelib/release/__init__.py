"""The packaged release: reads vocabulary, evidence and `release.json` of this folder, and refuses what does not match.

A release is an encoder (vocabulary and evidence), the facts about it, and a model that was trained on its rows. A
release without evidence has no `evidence.bin`, and states no hash of it. The model itself lives in `model/` and is
never shipped to Lambda; its SHA-256 stands in the facts, so whoever loads the model calls `check_model`.
`training.release` writes what this module reads.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from chalicelib import ngram_features as evidence_file
from chalicelib import vocabulary as vocabulary_file
from chalicelib.encoder import ENCODING, Encoder
from chalicelib.errors import ReleaseError
from chalicelib.text import CLEANER_VERSION

FORMAT_VERSION = 2
PACKAGED = Path(__file__).parent
VOCABULARY_NAME = "vocabulary.txt"
EVIDENCE_NAME = "evidence.bin"
FACTS_NAME = "release.json"


def release_id_of(fingerprint: str, model_sha256: str) -> str:
    """Name a release: `<vocabulary fingerprint, 12 digits>-<model SHA-256, 8 digits>`."""
    return f"{fingerprint}-{model_sha256[:8]}"


@dataclass(frozen=True)
class ReleaseFacts:
    """What `release.json` says of a release; every field is required.

    `not_sure_band` holds two probabilities: scores strictly between them are answered "not sure".
    `few_known_words` is a share, 0..1: below it a review carries a warning.
    `precision` is what the band was chosen for: the share of right answers outside of it, by kind of review.
    `metrics` maps what was asked (cross-validation, test, ...) to its figures; `image` is the SageMaker image's name
    and tag.
    """

    format_version: int
    cleaner_version: int
    encoding: str
    columns: int
    vocabulary_fingerprint: str
    vocabulary_sha256: str
    evidence_sha256: str | None
    model_sha256: str
    not_sure_band: tuple[float, float]
    precision: dict[str, float]
    few_known_words: float
    xgboost_version: str
    image: str
    data_fingerprint: str
    hyperparameters: dict[str, str]
    metrics: dict[str, dict[str, Any]]

    @property
    def release_id(self) -> str:
        """The release's name: says which encoder and which model."""
        return release_id_of(self.vocabulary_fingerprint, self.model_sha256)

    @property
    def summary(self) -> dict[str, Any]:
        """What the app tells callers of its release."""
        told = ["vocabulary_fingerprint", "model_sha256", "cleaner_version", "columns", "xgboost_version", "image"]
        told += ["not_sure_band", "precision", "few_known_words", "metrics"]
        return {"release": self.release_id, **{name: getattr(self, name) for name in told}}

    def dumps(self) -> str:
        """Return the text of `release.json`."""
        return json.dumps({"release": self.release_id, **asdict(self)}, indent=2) + "\n"


@dataclass(frozen=True)
class Release:
    """An encoder and the facts that belong to it."""

    encoder: Encoder
    facts: ReleaseFacts

    @property
    def release_id(self) -> str:
        """The release's name, as answers and logs carry it."""
        return self.facts.release_id

    def check_model(self, model: bytes) -> None:
        """Raise `ReleaseError` unless these bytes are the model of this release."""
        sha256 = hashlib.sha256(model).hexdigest()
        if sha256 != self.facts.model_sha256:
            raise ReleaseError(
                f"The model's SHA-256 begins with {sha256[:12]}, but release {self.release_id} was made with a model "
                f"whose SHA-256 begins with {self.facts.model_sha256[:12]}. Release both together again."
            )


def load(folder: Path = PACKAGED) -> Release:
    """Read the release in a folder; raises `ReleaseError`, with the reason, unless all its parts belong together."""
    try:
        vocabulary_bytes = (folder / VOCABULARY_NAME).read_bytes()
        facts = parse_facts((folder / FACTS_NAME).read_text(encoding="utf-8"))
        vocabulary = vocabulary_file.parse(vocabulary_bytes.decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseError(f"The release in {folder} cannot be read: {error}.") from error
    evidence = evidence_file.load(folder / EVIDENCE_NAME) if facts.evidence_sha256 else None
    encoder = Encoder(vocabulary, evidence)
    _check_together(facts, encoder, hashlib.sha256(vocabulary_bytes).hexdigest())
    return Release(encoder, facts)


def parse_facts(text: str) -> ReleaseFacts:
    """Read the text of `release.json`; raises `ReleaseError` naming what is absent, unknown or of another format."""
    try:
        stated = json.loads(text)
    except ValueError as error:
        raise ReleaseError(f"{FACTS_NAME} is not JSON: {error}.") from error
    if not isinstance(stated, dict) or stated.get("format_version") != FORMAT_VERSION:
        raise ReleaseError(f"{FACTS_NAME} is not of format {FORMAT_VERSION}.")
    release_id = stated.pop("release", None)
    names = {field.name for field in fields(ReleaseFacts)}
    if names != stated.keys():
        differing = ", ".join(sorted(names ^ stated.keys()))
        raise ReleaseError(f"{FACTS_NAME} lacks fields or has unknown ones: {differing}.")
    facts = ReleaseFacts(**{**stated, "not_sure_band": _band(stated["not_sure_band"])})
    if release_id != facts.release_id:
        raise ReleaseError(f"{FACTS_NAME} names release {release_id}, but its parts make {facts.release_id}.")
    return facts


def _band(stated: Any) -> tuple[float, float]:
    """Check the two edges of the "not sure" band: probabilities, the lower first, one half between them."""
    numbers = isinstance(stated, list) and len(stated) == 2 and all(isinstance(edge, float) for edge in stated)
    if not numbers or not 0 <= stated[0] <= 0.5 <= stated[1] <= 1:
        raise ReleaseError(f"{FACTS_NAME} states not_sure_band {stated!r}; it must be two probabilities around 0.5.")
    return stated[0], stated[1]


def _check_together(facts: ReleaseFacts, encoder: Encoder, vocabulary_sha256: str) -> None:
    """Raise `ReleaseError` for the first fact that the files or this code contradict."""
    found = {
        "cleaner_version": CLEANER_VERSION,
        "encoding": ENCODING,
        "columns": encoder.columns,
        "vocabulary_fingerprint": encoder.fingerprint,
        "vocabulary_sha256": vocabulary_sha256,
        "evidence_sha256": encoder.evidence.sha256 if encoder.evidence else None,
    }
    for name, value in found.items():
        stated = getattr(facts, name)
        if stated != value:
            raise ReleaseError(f"{FACTS_NAME} states {name} {stated!r}, but these files and code have {value!r}.")
