from datetime import UTC, datetime
from itertools import product

import pytest

from operations.aws import names
from training.tuning.service_model import shape_problems

FINGERPRINT, MODEL_SHA256 = "86d44843754f", "af" * 32
LONGEST_STAGE = "s" * 12
NAMED = {  # shape of the service model -> a name that must be valid
    "EndpointName": names.endpoint(LONGEST_STAGE, FINGERPRINT),
    "ModelName": names.model(LONGEST_STAGE, FINGERPRINT, MODEL_SHA256, ["image", "archive", "role"]),
    "EndpointConfigName": names.configuration(names.endpoint(LONGEST_STAGE, FINGERPRINT), {"any": 1}),
    "TrainingJobName": names.job(
        LONGEST_STAGE, "train a very long run_name. With. All kinds (of) letters " * 3, {}, 12
    ),
    "HyperParameterTuningJobName": names.job(LONGEST_STAGE, "tune", {}, attempt=3, room=31),
    "TransformJobName": names.job(LONGEST_STAGE, "évaluate/test", {}),
}


@pytest.mark.parametrize("shape", NAMED)
def test_names_of_the_longest_stage_are_valid(shape: str) -> None:
    assert shape_problems(shape, NAMED[shape], shape) == []
    assert NAMED[shape].startswith(f"verdict-{LONGEST_STAGE}-")
    assert len(NAMED[shape]) <= names.LONGEST


def test_a_tuning_jobs_name_reserves_room_for_its_training_jobs() -> None:
    assert len(names.job(LONGEST_STAGE, "tune" * 20, {}, room=31)) <= names.LONGEST - 31


@pytest.mark.parametrize("stage", ["", "Prod", "a-b", "1st", "s" * 13, "ü", "a b", "dev\n"])
def test_an_invalid_stage_name_is_refused(stage: str) -> None:
    with pytest.raises(names.NameRefusedError, match="at most 12 lowercase letters and digits"):
        names.checked_stage(stage)


def test_a_name_depends_on_content_and_nothing_else() -> None:
    assert names.job("dev", "train", {"a": 1, "b": 2}) == names.job("dev", "train", {"b": 2, "a": 1})
    created = {names.job(*parts) for parts in product(("dev", "prod"), ("train", "tune"), (1, 2), (1, 2))}
    assert len(created) == 16


def test_a_models_name_contains_its_release() -> None:
    assert names.release_of_model(NAMED["ModelName"]) == f"{FINGERPRINT}-{MODEL_SHA256[:8]}"
    assert names.release_of_model("somebody-elses-model") == ""


def test_tags_are_valid_and_can_be_read_back() -> None:
    tags = names.tags("dev", "86d44843754f-afafafaf", expires="2026-11-25T00:30:00Z", nothing="")
    assert shape_problems("TagList", tags, "Tags") == []
    assert names.tag_value(tags, names.STAGE_TAG) == "dev"
    assert names.tag_value(tags, names.EXPIRY_TAG) == "2026-11-25T00:30:00Z"
    assert names.tag_value(tags, "verdict:nothing") == ""


def test_a_time_is_formatted_in_utc() -> None:
    assert names.utc_text(datetime(2026, 11, 25, 0, 30, tzinfo=UTC)) == "2026-11-25T00:30:00Z"
