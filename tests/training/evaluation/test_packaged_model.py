from pathlib import Path

import pytest

from chalicelib.errors import ReleaseError
from chalicelib.text import MAX_REVIEW_LENGTH
from training.evaluation.packaged_model import load_packaged_model


def test_texts_are_scored_as_in_the_app() -> None:
    long = "A wonderful film. " * (MAX_REVIEW_LENGTH // 18 + 1)
    praise, blame, cut, longer = load_packaged_model().score(
        [
            "A wonderful film.",
            "A dull, horrible film.",
            long[:MAX_REVIEW_LENGTH],
            long[:MAX_REVIEW_LENGTH] + "Horrible!",
        ]
    )
    assert blame < 0.2 < 0.8 < praise
    assert cut == longer


def test_the_model_of_another_release_is_refused(tmp_path: Path) -> None:
    (tmp_path / "xgboost-model").write_bytes(b"other")
    with pytest.raises(ReleaseError, match="Package both together again"):
        load_packaged_model(tmp_path)
