"""Deployable models: the packaged release, or a training run with the same vocabulary."""

import gzip
import hashlib
import io
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from chalicelib import release
from chalicelib.encoder import Encoder
from chalicelib.errors import ReleaseError
from chalicelib.release import FACTS_NAME, PACKAGED, REPORT_NAME, release_id_of
from training.evaluation.packaged_model import FIGURES_NAME, MODEL_FOLDER, packaged_model
from training.model import missing_values
from training.model.run_folder import MODEL_NAME, RUNS_FOLDER, RunError, load_run, run_folder

PACKAGED_NAME = "release"  # the packaged release, as a variant name


@dataclass(frozen=True)
class Candidate:
    """A model with its encoder; `name` becomes the name of its variant."""

    name: str
    model: bytes
    encoder: Encoder
    release_files: tuple[Path, ...] = ()  # the facts, the report and the figures of a packaged release

    @property
    def model_sha256(self) -> str:
        """SHA-256 of the model; the release's name begins with it."""
        return hashlib.sha256(self.model).hexdigest()

    @property
    def release_id(self) -> str:
        """The release's name, derived from the encoder and the model."""
        return release_id_of(self.encoder.fingerprint, self.model_sha256)

    @property
    def archive(self) -> bytes:
        """The model.tar.gz that the container loads."""
        return pack_model(self.model)


def packaged_candidate(release_folder: Path = PACKAGED, model_folder: Path = MODEL_FOLDER) -> Candidate:
    """Read the packaged release; raises `ReleaseError` if its files don't belong together."""
    packaged = release.load(release_folder)
    model = packaged_model(packaged, model_folder)
    figures = model_folder / FIGURES_NAME
    files = (release_folder / REPORT_NAME, release_folder / FACTS_NAME, *([figures] if figures.exists() else []))
    return Candidate(PACKAGED_NAME, model, packaged.encoder, files)


def load_candidate(name: str, runs: Path = RUNS_FOLDER) -> Candidate:
    """Read the packaged release (`release`), or a run by its name; raises `RunError` or `ReleaseError`."""
    if name == PACKAGED_NAME:
        return packaged_candidate()
    run = load_run(run_folder(runs, name))
    if not missing_values.is_missing_invariant(run.model, 0, run.encoder.first_derived):
        raise ReleaseError(f"The model of run {name} distinguishes missing values from zeros. Train it again.")
    return Candidate(name, run.model, run.encoder)


def refuse_failed_gate(name: str, runs: Path = RUNS_FOLDER) -> None:
    """Raise `RunError` if a run was retrained and its gate forbids its release, as live traffic is no test for it."""
    from training.retraining.gate import load_gate  # scipy: slow to import, and only needed here

    gate = None if name == PACKAGED_NAME else load_gate(run_folder(runs, name))
    if gate and not gate.allows_release:
        raise RunError(
            f"{gate.judgement} {name} gets no traffic. `verdict retrain --override REASON` records a reason."
        )


def pack_model(model: bytes) -> bytes:
    """Pack a model into a model.tar.gz with `xgboost-model` alone; deterministic."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        member = tarfile.TarInfo(MODEL_NAME)
        member.size = len(model)
        archive.addfile(member, io.BytesIO(model))
    return gzip.compress(plain.getvalue(), mtime=0)


def unpack_model(archive: bytes) -> bytes:
    """Return the model in a model.tar.gz; raises `ReleaseError` if the archive is damaged or holds anything else."""
    try:
        plain = gzip.decompress(archive)  # all of it, which verifies the checksum
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as opened:
            names = [member.name.removeprefix("./") for member in opened.getmembers() if member.isfile()]
            if names != [MODEL_NAME]:
                raise ReleaseError(f"A model archive must hold {MODEL_NAME} alone; this one holds {', '.join(names)}.")
            file = opened.extractfile(opened.getmembers()[-1])
            return file.read() if file else b""
    except (tarfile.TarError, zlib.error, OSError, EOFError) as error:
        raise ReleaseError(f"Cannot read the model archive: {error}.") from error
