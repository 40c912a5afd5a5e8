"""The settings of feedback in `.chalice/config.json`, from which every `chalice deploy` sets the function's variables.

They hold no secret, so that the file can be committed.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from operations.aws.errors import AwsError
from training import atomic

CHALICE_CONFIG = Path(".chalice/config.json")


def stages(config: Path = CHALICE_CONFIG) -> list[str]:
    """Return the stages of the file; none if it does not exist."""
    return list(_read(config).get("stages", {})) if config.exists() else []


def defines(stage: str, config: Path = CHALICE_CONFIG) -> bool:
    """Return whether the file exists and has a stage."""
    return stage in stages(config)


def variables(stage: str, config: Path = CHALICE_CONFIG) -> dict[str, str]:
    """Return a stage's environment variables; none without the file or the stage."""
    if not defines(stage, config):
        return {}
    return dict(_read(config)["stages"][stage].get("environment_variables", {}))


def replace_variables(stage: str, names: tuple[str, ...], new: Mapping[str, str], config: Path) -> bool:
    """Replace the variables with some names by others; returns whether that changed the file."""
    before = variables(stage, config)
    after = {name: value for name, value in before.items() if name not in names} | dict(new)
    if not defines(stage, config) or after == before:
        return False
    document = _read(config)
    document["stages"][stage]["environment_variables"] = after
    atomic.write_text(config, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return True


def _read(config: Path) -> dict[str, Any]:
    """Read the file; raises `AwsError` if it is not a JSON object."""
    try:
        document = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AwsError(f"{config} cannot be read: {error}.", "invalid-config") from error
    if not isinstance(document, dict):
        raise AwsError(f"{config} is not a JSON object.", "invalid-config")
    return document
