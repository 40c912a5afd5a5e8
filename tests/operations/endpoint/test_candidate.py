"""Candidates read from the packaged release and from runs, and their archives."""

import gzip
import io
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from chalicelib import release
from chalicelib.errors import ReleaseError
from operations.endpoint.candidate import (
    load_candidate,
    pack_model,
    packaged_candidate,
    refuse_failed_gate,
    unpack_model,
)
from training.evaluation.packaged_model import MODEL_FOLDER
from training.model.run_folder import Run, RunError
from training.retraining.gate import Condition, Gate, write_gate

MODEL = bytes(range(256)) * 100


def archive(*names: str) -> bytes:
    """Pack files of these names as `tar czf` would."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as opened:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(MODEL)
            opened.addfile(member, io.BytesIO(MODEL))
    return written.getvalue()


def test_an_archive_is_deterministic_and_holds_the_model_alone() -> None:
    assert pack_model(MODEL) == pack_model(MODEL)
    with tarfile.open(fileobj=io.BytesIO(pack_model(MODEL))) as opened:
        assert [(member.name, member.size, member.mtime) for member in opened] == [("xgboost-model", len(MODEL), 0)]
    assert unpack_model(pack_model(MODEL)) == MODEL


def test_an_archive_created_by_tar_can_be_read() -> None:
    assert unpack_model(archive("./xgboost-model")) == MODEL


@pytest.mark.parametrize("names", [("xgboost-model", "vocabulary.txt"), ("model.bin",), ("code/xgboost-model",), ()])
def test_an_archive_with_other_files_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ReleaseError, match="alone"):
        unpack_model(archive(*names))


NO_CHECKSUM, TRUNCATED, CORRUPT = pack_model(MODEL)[:-3], pack_model(MODEL)[:40], pack_model(MODEL)[:-20] + bytes(20)


@pytest.mark.parametrize(
    "damaged", [b"", b"no archive", gzip.compress(b"no tar" * 200, mtime=0), NO_CHECKSUM, TRUNCATED, CORRUPT]
)
def test_a_damaged_archive_is_refused(damaged: bytes) -> None:
    with pytest.raises(ReleaseError):
        unpack_model(damaged)


def test_a_run_that_failed_its_gate_gets_no_traffic(tmp_path: Path) -> None:
    failed = Gate("a-release", 200, 100, [Condition("new reviews: accuracy better", "80%", "79%", "p", False)])
    (tmp_path / "december").mkdir()
    refuse_failed_gate("december", tmp_path)  # without a gate
    write_gate(tmp_path / "december", failed)
    with pytest.raises(RunError, match=r"better\. december gets no traffic"):
        refuse_failed_gate("december", tmp_path)
    write_gate(tmp_path / "december", replace(failed, override="a legal reason"))
    refuse_failed_gate("december", tmp_path)
    refuse_failed_gate("release", tmp_path)


def test_the_packaged_release_has_the_name_that_the_app_reports() -> None:
    found = load_candidate("release")
    assert found.release_id == release.load().release_id
    assert found.model == (MODEL_FOLDER / "xgboost-model").read_bytes()


def test_a_model_of_another_release_is_refused(tmp_path: Path) -> None:
    (tmp_path / "xgboost-model").write_bytes(MODEL)
    with pytest.raises(ReleaseError):
        packaged_candidate(model_folder=tmp_path)


def test_a_missing_model_is_reported_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=str(tmp_path)):
        packaged_candidate(model_folder=tmp_path)


def test_a_run_becomes_a_candidate_with_its_name(trained_run: Run) -> None:
    found = load_candidate(trained_run.folder.name, trained_run.folder.parent)
    assert (found.name, found.model) == ("run", trained_run.model)
    assert found.release_id.startswith(trained_run.encoder.fingerprint)


def test_a_missing_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError):
        load_candidate("nothing", tmp_path)


def test_a_run_with_a_replaced_model_is_refused(trained_run: Run, tmp_path: Path) -> None:
    shutil.copytree(trained_run.folder, tmp_path / "run")
    (tmp_path / "run" / "xgboost-model").write_bytes(MODEL)
    with pytest.raises(RunError):
        load_candidate("run", tmp_path)
