"""What can be put behind an endpoint: the packaged release, or a run that reads the same rows."""

import gzip
import hashlib
import io
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from chalicelib import release
from chalicelib.assets import REPORT_NAME
from chalicelib.encoder import Encoder
from chalicelib.errors import ReleaseError
from chalicelib.release import FACTS_NAME, PACKAGED, release_id_of
from training.model import missing_values
from training.model.run_folder import MODEL_NAME, RUNS_FOLDER, load_run, run_folder

PACKAGED_NAME = "release"  # as a variant: the packaged release
MODEL_FOLDER = Path("model")


@dataclass(frozen=True)
class Candidate:
    """A model and the encoder whose rows it reads; `name` is the variant that it becomes."""

    name: str
    model: bytes
    encoder: Encoder
    told: tuple[Path, ...] = ()  # files that say more of it: a release's facts and report

    @property
    def model_sha256(self) -> str:
        """The hash that its release's name begins with."""
        return hashlib.sha256(self.model).hexdigest()

    @property
    def release_id(self) -> str:
        """The release's name: says which encoder and which model."""
        return release_id_of(self.encoder.fingerprint, self.model_sha256)

    @property
    def archive(self) -> bytes:
        """The model.tar.gz that the container loads: `xgboost-model` and nothing else; the same bytes each time."""
        return pack_model(self.model)


def packaged_candidate(release_folder: Path = PACKAGED, model_folder: Path = MODEL_FOLDER) -> Candidate:
    """Read the packaged release; raises `ReleaseError` unless its parts belong together."""
    described = release.load(release_folder)
    try:
        model = (model_folder / MODEL_NAME).read_bytes()
    except OSError as error:
        raise ReleaseError(f"The model {model_folder / MODEL_NAME} cannot be read: {error}.") from error
    described.check_model(model)
    return Candidate(
        PACKAGED_NAME, model, described.encoder, (release_folder / REPORT_NAME, release_folder / FACTS_NAME)
    )


def load_candidate(name: str, runs: Path = RUNS_FOLDER) -> Candidate:
    """Read `release`, the packaged one, or a run by its name; raises `RunError` or `ReleaseError`.

    A run's model must read gaps as zeros, as a released one does.
    """
    if name == PACKAGED_NAME:
        return packaged_candidate()
    run = load_run(run_folder(runs, name))
    if not missing_values.is_level(run.model, 0, run.encoder.first_derived):
        raise ReleaseError(f"The model of run {name} tells a missing word from a zero one. Train it again.")
    return Candidate(name, run.model, run.encoder)


def pack_model(model: bytes) -> bytes:
    """Pack a model as the container takes it; the same model gives the same bytes."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        member = tarfile.TarInfo(MODEL_NAME)
        member.size = len(model)
        archive.addfile(member, io.BytesIO(model))
    return gzip.compress(plain.getvalue(), mtime=0)


def unpack_model(archive: bytes) -> bytes:
    """Return the model of a model.tar.gz; raises `ReleaseError` unless that is all it holds in its root."""
    try:
        plain = gzip.decompress(archive)  # whole, so that its checksum is looked at
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as opened:
            names = [member.name.removeprefix("./") for member in opened.getmembers() if member.isfile()]
            if names != [MODEL_NAME]:
                raise ReleaseError(f"A model archive must hold {MODEL_NAME} alone; this one holds {', '.join(names)}.")
            file = opened.extractfile(opened.getmembers()[-1])
            return file.read() if file else b""
    except (tarfile.TarError, zlib.error, OSError, EOFError) as error:
        raise ReleaseError(f"The model archive cannot be read: {error}.") from error
