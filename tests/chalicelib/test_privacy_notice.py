"""The privacy notices of the page against the documentation and the code that stores records."""

import re
from dataclasses import fields

from chalicelib import feedback
from chalicelib.feedback import Collection
from operations.feedback.table import FeedbackRecord
from training.project import ROOT

GUIDE = (ROOT / "docs" / "how-to" / "collect-feedback.md").read_text(encoding="utf-8")
QUOTED = [
    " ".join(re.sub(r"^> ?", "", quote, flags=re.MULTILINE).split())
    for quote in re.findall(r"(?:^> .*\n)+", GUIDE, re.MULTILINE)
]


def test_the_guide_quotes_both_notices_of_the_page() -> None:
    collection = Collection("table", share=0.02)
    assert [collection.privacy_notice, collection.sampling_notice] == QUOTED


def test_the_guide_describes_every_field_of_a_record() -> None:
    table = GUIDE.partition("## A record")[2].partition("\n\n##")[0]
    described = {name for row in re.findall(r"^\|(.*?)\|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert described == {field.name for field in fields(FeedbackRecord)}


def test_a_record_has_only_what_the_notice_states() -> None:
    given = feedback.answer("Good.", "positive", 0.9, "release", "variant")
    item = feedback.record(given, "Good.", "mixed", feedback.FEEDBACK, 90, 0.0)
    stated = {"review", "verdict", "score", "release", "variant", "correction", "time"}
    assert item.keys() - stated == {"id", "source", "expires"}  # about the record, not about a person
    assert all(word in feedback.PRIVACY_NOTICE for word in stated - {"correction"} | {"your answer"})
