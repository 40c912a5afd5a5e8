"""Container images: the versions of the built-in XGBoost image, and those that the same xgboost stands in for."""

import re

import xgboost

from simulator.sagemaker.backend import Backend, InvalidRequestError
from training.model.container_image import REPOSITORY, ImageError, domain, image_uri

TAGS = ("3.0-5", "3.2-0")  # run as they are
OLDER_TAGS = ("0.90-1", "0.90-2", "1.0-1", "1.2-1", "1.2-2", "1.3-1", "1.5-1", "1.7-1")
_PYTHON_SUFFIX = "-cpu-py3"  # that the SageMaker Python SDK appends to the oldest tags
_FIRST_REPOSITORY = "xgboost"  # before sagemaker-xgboost, with xgboost 0.72; its accounts are not checked
_FIRST_TAGS = ("1", "latest")
_IMAGE = re.compile(r"\d{12}\.dkr\.ecr\.([a-z0-9-]+)\.([a-z.]+)/([a-z-]+):(\S+)")


def require_image(backend: Backend, image: str) -> None:
    """Raise `ServiceError` unless this is an XGBoost image of the backend's region."""
    if ".dkr.ecr." not in image:
        raise InvalidRequestError(f'Using non-ECR image "{image}" without Vpc repository access mode is not supported.')
    try:
        known = [image_uri(backend.region, tag) for tag in (*TAGS, *OLDER_TAGS)]
    except ImageError as error:
        raise InvalidRequestError(error.detail) from error
    if image.removesuffix(_PYTHON_SUFFIX) not in known and not _is_first(backend, image):
        raise InvalidRequestError(
            f"Requested image {image} not found. The simulator has {REPOSITORY} {', '.join(TAGS)}. It runs "
            f"{REPOSITORY} {', '.join(OLDER_TAGS)} and {_FIRST_REPOSITORY} {', '.join(_FIRST_TAGS)} with the same "
            f"xgboost {xgboost.__version__}."
        )


def _is_first(backend: Backend, image: str) -> bool:
    """Return whether this is the first XGBoost image, which earlier tutorials use."""
    parts = _IMAGE.fullmatch(image)
    expected = (backend.region, domain(backend.region), _FIRST_REPOSITORY)
    return parts is not None and parts.groups()[:3] == expected and parts[4] in _FIRST_TAGS


def substitution_warning(image: str) -> str:
    """Return the warning that an image runs with another version of xgboost, "" for an image that runs as it is."""
    name = image.rpartition("/")[2]
    if name in [f"{REPOSITORY}:{tag}" for tag in TAGS]:
        return ""
    return f"WARNING: the simulator runs the image {name} with xgboost {xgboost.__version__}, as in {TAGS[0]}."
