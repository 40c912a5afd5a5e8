"""Canary rows: the packaged release's recorded scores are its model's, and one row lacks the lowest column."""

import json
from pathlib import Path

from operations.endpoint.candidate import packaged_candidate
from training.model.canary import CANARY_NAME, Canary, rows_of, score_canary


def test_the_recorded_canary_is_the_packaged_models() -> None:
    release = packaged_candidate()
    recorded = Canary(**json.loads(Path("model", CANARY_NAME).read_text(encoding="utf-8")))
    assert recorded == score_canary(release.model, release.encoder)


def test_one_row_lacks_column_0_and_nothing_else() -> None:
    rows = rows_of(packaged_candidate().encoder)
    assert all(row.startswith("0:1 ") for row in rows[:-1])
    assert f"0:1 {rows[-1]}" == rows[0]


def test_canary_scores_differ_enough_to_reveal_a_shift() -> None:
    release = packaged_candidate()
    scores = score_canary(release.model, release.encoder).scores
    assert max(scores) - min(scores) > 0.5
