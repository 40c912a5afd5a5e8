"""The packaged release: reading the vocabulary, the n-gram table and `release.json`, and verifying that they match.

A release is an encoder (vocabulary and n-gram table), the facts about it, and a model that was trained on its rows. A
release without an n-gram table has no `evidence.bin`, and states no hash of it. The model itself lives in `model/` and
is never shipped to Lambda; the facts state its SHA-256, which `check_model` compares. `training.release` writes the
files that this module reads.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from chalicelib import ngram_features
from chalicelib import vocabulary as vocabulary_file
from chalicelib.encoder import ENCODING, Encoder
from chalicelib.errors import ReleaseError
from chalicelib.text import CLEANER_VERSION

FORMAT_VERSION = 2
PACKAGED = Path(__file__).parent
VOCABULARY_NAME = "vocabulary.txt"
NGRAM_TABLE_NAME = "evidence.bin"  # the n-gram table's former name, kept so that stored releases stay readable
FACTS_NAME = "release.json"
REPORT_NAME = "report.html"
_OPTIONAL = ("gate", "report_sha256")  # fields of `release.json`


def release_id_of(fingerprint: str, model_sha256: str) -> str:
    """Return a release's name: `<vocabulary fingerprint, 12 digits>-<model SHA-256, 8 digits>`."""
    return f"{fingerprint}-{model_sha256[:8]}"


@dataclass(frozen=True)
class ReleaseFacts:
    """The content of `release.json`; every field but `gate` and `report_sha256` is required.

    `not_sure_band` holds two probabilities: scores strictly between them get the label "not sure".
    `few_known_words` is a share, 0..1: a review with a smaller share of known words gets a warning.
    `precision` is the share of correct labels outside the band that the band was chosen for, by kind of review.
    `evidence_sha256` is the hash of the n-gram table.
    `metrics` maps each evaluation (cross-validation, test, ...) to its figures; `image` is the SageMaker image's name
    and tag. `gate` is stated by a retrained release: what it was compared with, and why a failed gate was overridden.
    `report_sha256` is the hash of the report; releases that were packaged before it was recorded do not state it.
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
    gate: dict[str, Any] | None = None
    report_sha256: str | None = None

    @property
    def release_id(self) -> str:
        """The release's name, which identifies its encoder and its model."""
        return release_id_of(self.vocabulary_fingerprint, self.model_sha256)

    @property
    def summary(self) -> dict[str, Any]:
        """The public facts, as `GET /version` returns them."""
        public = ["vocabulary_fingerprint", "model_sha256", "cleaner_version", "columns", "xgboost_version", "image"]
        public += ["not_sure_band", "precision", "few_known_words", "metrics"]
        return {"release": self.release_id, **{name: getattr(self, name) for name in public}}

    def dumps(self) -> str:
        """Return the text of `release.json`."""
        stated = {name: value for name, value in asdict(self).items() if name not in _OPTIONAL or value is not None}
        return json.dumps({"release": self.release_id, **stated}, indent=2) + "\n"


@dataclass(frozen=True)
class Release:
    """An encoder and the facts that belong to it."""

    encoder: Encoder
    facts: ReleaseFacts

    @property
    def release_id(self) -> str:
        """The release's name, as it appears in responses and logs."""
        return self.facts.release_id

    def check_model(self, model: bytes) -> None:
        """Raise `ReleaseError` unless these bytes are the model of this release."""
        sha256 = hashlib.sha256(model).hexdigest()
        if sha256 != self.facts.model_sha256:
            raise ReleaseError(
                f"The model's SHA-256 begins with {sha256[:12]}, but release {self.release_id} was packaged with a "
                f"model whose SHA-256 begins with {self.facts.model_sha256[:12]}. Package both together again."
            )


def load(folder: Path = PACKAGED) -> Release:
    """Read the release in a folder; raises `ReleaseError` unless all its parts match."""
    try:
        vocabulary_bytes = (folder / VOCABULARY_NAME).read_bytes()
        facts = parse_facts((folder / FACTS_NAME).read_text(encoding="utf-8"))
        vocabulary = vocabulary_file.parse(vocabulary_bytes.decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseError(f"The release in {folder} cannot be read: {error}.") from error
    ngram_table = ngram_features.load(folder / NGRAM_TABLE_NAME) if facts.evidence_sha256 else None
    encoder = Encoder(vocabulary, ngram_table)
    _check_together(facts, encoder, hashlib.sha256(vocabulary_bytes).hexdigest())
    if facts.report_sha256:
        _check_report(folder / REPORT_NAME, facts)
    return Release(encoder, facts)


def _check_report(path: Path, facts: ReleaseFacts) -> None:
    """Raise `ReleaseError` unless a file is the report that a release was packaged with."""
    try:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ReleaseError(f"The report of release {facts.release_id} cannot be read: {error}.") from error
    if sha256 != facts.report_sha256:
        raise ReleaseError(f"{path} is not the report of release {facts.release_id}. Package the release again.")


def parse_facts(text: str) -> ReleaseFacts:
    """Parse the text of `release.json`; raises `ReleaseError` naming missing or unknown fields, or a wrong format."""
    try:
        stated = json.loads(text)
    except ValueError as error:
        raise ReleaseError(f"{FACTS_NAME} is not JSON: {error}.") from error
    if not isinstance(stated, dict) or stated.get("format_version") != FORMAT_VERSION:
        raise ReleaseError(f"{FACTS_NAME} is not of format {FORMAT_VERSION}.")
    release_id = stated.pop("release", None)
    names = {field.name for field in fields(ReleaseFacts)}
    if differing_names := (names ^ stated.keys()).difference(_OPTIONAL):
        differing = ", ".join(sorted(differing_names))
        raise ReleaseError(f"{FACTS_NAME} has missing or unknown fields: {differing}.")
    facts = ReleaseFacts(**{**stated, "not_sure_band": _band(stated["not_sure_band"])})
    if release_id != facts.release_id:
        raise ReleaseError(
            f"{FACTS_NAME} names release {release_id}, but its fields identify release {facts.release_id}."
        )
    return facts


def _band(stated: Any) -> tuple[float, float]:
    """Validate the two edges of the "not sure" band: probabilities, the lower first, with one half between them."""
    numbers = isinstance(stated, list) and len(stated) == 2 and all(isinstance(edge, float) for edge in stated)
    if not numbers or not 0 <= stated[0] <= 0.5 <= stated[1] <= 1:
        raise ReleaseError(f"{FACTS_NAME} states not_sure_band {stated!r}; it must be two probabilities around 0.5.")
    return stated[0], stated[1]


def _check_together(facts: ReleaseFacts, encoder: Encoder, vocabulary_sha256: str) -> None:
    """Raise `ReleaseError` for the first fact that does not match the files or this code."""
    found = {
        "cleaner_version": CLEANER_VERSION,
        "encoding": ENCODING,
        "columns": encoder.columns,
        "vocabulary_fingerprint": encoder.fingerprint,
        "vocabulary_sha256": vocabulary_sha256,
        "evidence_sha256": encoder.ngram_table.sha256 if encoder.ngram_table else None,
    }
    for name, value in found.items():
        stated = getattr(facts, name)
        if stated != value:
            raise ReleaseError(f"{FACTS_NAME} states {name} {stated!r}, but these files and code have {value!r}.")
