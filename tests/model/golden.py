"""Texts of many forms, with the rows and scores that the packaged release computes for them.

`python -m tests.model.golden`, run in the project's root after each release, writes them to golden.json.
"""

import json
from pathlib import Path

import xgboost

from chalicelib import release
from chalicelib.text import words
from training.evaluation.packaged_model import MODEL_FOLDER
from training.evaluation.predictions import load_booster, matrix
from training.model.run_folder import MODEL_NAME

TEXTS = (
    "",
    "zxcv qwrt plok",
    "great",
    "This movie is horrible.",
    "One of the best films I have ever seen",
    "Not good at all.",
    "I don't think it wasn't funny!! 7/10",
    "It&#8217;s <b>na\u00efve</b>, <br />“moving” &amp; funny\u2026",
    "I went in with low hopes. The first half drags, and the jokes are older than the cast. But then it wakes up: the "
    "chase is a joy, the ending is earned, and nobody explains anything twice. I would see it again tomorrow.",
    "bad " * 300 + "but the last five minutes were wonderful",
)

if __name__ == "__main__":
    packaged = release.load()
    rows = [packaged.encoder.row(words(text)) for text in TEXTS]
    booster = load_booster((Path(MODEL_FOLDER) / MODEL_NAME).read_bytes())
    scores = booster.predict(xgboost.DMatrix(matrix(rows, packaged.facts.columns)))
    texts = [{"text": t, "row": r, "score": float(s)} for t, r, s in zip(TEXTS, rows, scores, strict=True)]
    golden = {"release": packaged.release_id, "texts": texts}
    Path(__file__).with_name("golden.json").write_text(json.dumps(golden, indent=1) + "\n", encoding="utf-8")
