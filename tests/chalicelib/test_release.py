import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from chalicelib import release
from chalicelib.encoder import ENCODING, Encoder
from chalicelib.errors import ReleaseError
from chalicelib.ngram_features import COLUMNS, NgramTable
from chalicelib.release import FACTS_NAME, NGRAM_TABLE_NAME, REPORT_NAME, VOCABULARY_NAME, ReleaseFacts
from chalicelib.text import CLEANER_VERSION
from chalicelib.vocabulary import Vocabulary

MODEL = b"a model"
NGRAM_TABLE = NgramTable(bytes(8), bytes(8), bytes(8), bytes(8))


def make_release(folder: Path, ngram_table: NgramTable | None = NGRAM_TABLE) -> ReleaseFacts:
    """Write a small release into a folder."""
    vocabulary = Vocabulary(("bad", "good"), (-1.0, 1.0))
    encoder = Encoder(vocabulary, ngram_table)
    text = vocabulary.dumps()
    facts = ReleaseFacts(
        format_version=2,
        cleaner_version=CLEANER_VERSION,
        encoding=ENCODING,
        columns=encoder.columns,
        vocabulary_fingerprint=encoder.fingerprint,
        vocabulary_sha256=hashlib.sha256(text.encode()).hexdigest(),
        evidence_sha256=ngram_table.sha256 if ngram_table else None,
        model_sha256=hashlib.sha256(MODEL).hexdigest(),
        not_sure_band=(0.4, 0.6),
        precision={"cross-validation": 0.92},
        few_known_words=0.5,
        xgboost_version="3.0.5",
        image="sagemaker-xgboost:3.0-5",
        data_fingerprint="0" * 12,
        hyperparameters={"eta": "0.1"},
        metrics={"test": {"accuracy": 0.9}},
    )
    (folder / VOCABULARY_NAME).write_text(text, encoding="utf-8")
    if ngram_table:
        (folder / NGRAM_TABLE_NAME).write_bytes(ngram_table.dumps())
    (folder / FACTS_NAME).write_text(facts.dumps(), encoding="utf-8")
    return facts


def test_a_release_reads_back_unchanged(tmp_path: Path) -> None:
    facts = make_release(tmp_path)
    read = release.load(tmp_path)
    assert read.facts == facts
    assert read.encoder.vocabulary.terms == ("bad", "good")
    assert read.encoder.ngram_table is not None
    assert read.encoder.ngram_table.dumps() == NGRAM_TABLE.dumps()
    assert read.encoder.columns == 4 + len(COLUMNS)
    assert read.release_id == f"{facts.vocabulary_fingerprint}-{facts.model_sha256[:8]}"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("format_version", 1, "not of format 2"),
        ("cleaner_version", 99, "cleaner_version 99"),
        ("encoding", "dense", "encoding 'dense'"),
        ("columns", 5, "columns 5"),
        ("vocabulary_sha256", "0" * 64, "vocabulary_sha256"),
        ("evidence_sha256", "0" * 64, "evidence_sha256"),
        ("evidence_sha256", None, f"columns {4 + len(COLUMNS)}, but these files and code have 4"),
        ("vocabulary_fingerprint", "0" * 12, "names release"),
        ("model_sha256", "0" * 64, "names release"),
        ("surprise", 1, "unknown fields: surprise"),
        ("not_sure_band", [0.6, 0.4], "not_sure_band"),
        ("not_sure_band", "wide", "not_sure_band"),
    ],
)
def test_a_fact_that_does_not_match_is_refused_by_name(tmp_path: Path, name: str, value: object, reason: str) -> None:
    make_release(tmp_path)
    facts = json.loads((tmp_path / FACTS_NAME).read_text())
    (tmp_path / FACTS_NAME).write_text(json.dumps({**facts, name: value}))
    with pytest.raises(ReleaseError, match=reason):
        release.load(tmp_path)


def test_the_vocabulary_of_another_release_is_refused(tmp_path: Path) -> None:
    make_release(tmp_path)
    (tmp_path / VOCABULARY_NAME).write_text(Vocabulary(("bad", "fine"), (-1.0, 1.0)).dumps(), encoding="utf-8")
    with pytest.raises(ReleaseError, match="vocabulary_fingerprint"):
        release.load(tmp_path)


def test_the_ngram_table_of_another_release_is_refused(tmp_path: Path) -> None:
    make_release(tmp_path)
    (tmp_path / NGRAM_TABLE_NAME).write_bytes(NgramTable(bytes(8), bytes(8), bytes(8), bytes([0] * 7 + [1])).dumps())
    with pytest.raises(ReleaseError, match="vocabulary_fingerprint"):
        release.load(tmp_path)


def test_a_damaged_ngram_table_is_refused_with_the_reason(tmp_path: Path) -> None:
    make_release(tmp_path)
    (tmp_path / NGRAM_TABLE_NAME).write_bytes(NGRAM_TABLE.dumps()[:-1])
    with pytest.raises(ReleaseError, match="cut or edited"):
        release.load(tmp_path)


def test_a_release_without_an_ngram_table_reads_none(tmp_path: Path) -> None:
    facts = make_release(tmp_path, ngram_table=None)
    (tmp_path / NGRAM_TABLE_NAME).write_bytes(b"left behind by another release")
    read = release.load(tmp_path)
    assert (read.facts, read.encoder.ngram_table, read.facts.columns) == (facts, None, 4)


@pytest.mark.parametrize("absent", [VOCABULARY_NAME, NGRAM_TABLE_NAME, FACTS_NAME])
def test_a_release_with_a_missing_file_is_refused(tmp_path: Path, absent: str) -> None:
    make_release(tmp_path)
    (tmp_path / absent).unlink()
    with pytest.raises(ReleaseError, match=absent):
        release.load(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_facts_that_are_not_an_object_are_refused(tmp_path: Path, text: str) -> None:
    make_release(tmp_path)
    (tmp_path / FACTS_NAME).write_text(text)
    with pytest.raises(ReleaseError, match=FACTS_NAME):
        release.load(tmp_path)


def test_the_model_of_another_release_is_refused(tmp_path: Path) -> None:
    make_release(tmp_path)
    read = release.load(tmp_path)
    read.check_model(MODEL)
    with pytest.raises(ReleaseError, match="SHA-256"):
        read.check_model(b"another model")


def test_the_summary_states_the_precision_and_metrics(tmp_path: Path) -> None:
    summary = make_release(tmp_path).summary
    assert summary["release"] == release.load(tmp_path).release_id
    assert summary["precision"] == {"cross-validation": 0.92}
    assert summary["metrics"] == {"test": {"accuracy": 0.9}}


def test_the_packaged_release_is_consistent() -> None:
    packaged = release.load()
    assert packaged.facts.columns == packaged.encoder.columns
    assert packaged.facts.image == "sagemaker-xgboost:3.0-5"


def test_the_report_is_checked_if_its_hash_is_stated(tmp_path: Path) -> None:
    """Releases that were packaged before the hash was recorded do not state it."""
    facts = make_release(tmp_path)
    assert "report_sha256" not in json.loads(facts.dumps())
    assert release.load(tmp_path).facts.report_sha256 is None
    stated = replace(facts, report_sha256=hashlib.sha256(b"report").hexdigest())
    (tmp_path / FACTS_NAME).write_text(stated.dumps(), encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"report of release .* cannot be read"):
        release.load(tmp_path)
    (tmp_path / REPORT_NAME).write_bytes(b"report of another release")
    with pytest.raises(ReleaseError, match="is not the report of release"):
        release.load(tmp_path)
    (tmp_path / REPORT_NAME).write_bytes(b"report")
    assert release.load(tmp_path).facts == stated
