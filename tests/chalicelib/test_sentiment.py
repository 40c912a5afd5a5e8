import math
from collections.abc import Callable, Sequence

import pytest

from chalicelib import release, sentiment
from chalicelib.errors import BodyTooLargeError, EmptyReviewError, MalformedBodyError, SentimentError
from chalicelib.release import Release
from chalicelib.sentiment import MAX_CALL_BYTES, MAX_CALL_ROWS, MAX_REVIEW_LENGTH, MAX_REVIEWS, Scores, Verdict, predict
from chalicelib.text import words


class LinearScorer:
    """Scores a row by the weights of its words alone, a predictable model, and records the rows that it is sent."""

    def __init__(self, packaged: Release) -> None:
        self.weights = (0.0, *packaged.encoder.vocabulary.weights)  # later columns have no weight
        self.rows: list[str] = []
        self.calls = 0

    def scores(self, rows: Sequence[str], remaining_seconds: Callable[[], float]) -> Scores:
        assert remaining_seconds() > 0
        self.calls += 1
        self.rows += rows
        return Scores([self.score(row) for row in rows], "AllTraffic")

    def score(self, row: str) -> float:
        columns = (int(field.partition(":")[0]) for field in row.split(" "))
        total = sum(self.weights[column] for column in columns if column < len(self.weights))
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, total))))


@pytest.fixture(scope="module")
def packaged() -> Release:
    return release.load()


@pytest.fixture
def scorer(packaged: Release) -> LinearScorer:
    return LinearScorer(packaged)


def verdicts(
    packaged: Release, scorer: LinearScorer, *reviews: object, explain: bool = True
) -> list[Verdict | SentimentError]:
    return predict(reviews, packaged, lambda: scorer, lambda: 20.0, explain=explain).outcomes


def verdict(packaged: Release, scorer: LinearScorer, review: str, *, explain: bool = True) -> Verdict:
    (outcome,) = verdicts(packaged, scorer, review, explain=explain)
    assert isinstance(outcome, Verdict)
    return outcome


def codes(outcome: Verdict) -> set[str]:
    return {warning.code for warning in outcome.warnings}


def test_a_review_and_its_parts_are_scored_in_one_call(packaged: Release, scorer: LinearScorer) -> None:
    judged = verdict(packaged, scorer, "The acting was wonderful. The plot was awful!")
    assert scorer.calls == 1
    assert len(judged.explanation.sentences) == 2
    assert {"wonderful", "awful"} <= {word.text for word in judged.explanation.words}


def test_effects_are_differences_to_the_score_without_the_part(packaged: Release, scorer: LinearScorer) -> None:
    review = "A wonderful film. Wonderful music, but an awful plot."
    judged = verdict(packaged, scorer, review)
    without = verdict(packaged, scorer, "A film. music, but an awful plot.", explain=False)
    word = next(word for word in judged.explanation.words if word.text == "wonderful")
    assert word.effect == pytest.approx(judged.score - without.score)
    assert [review[start:end] for start, end in word.places] == ["wonderful", "Wonderful"]
    first, second = judged.explanation.sentences
    assert first.score == verdict(packaged, scorer, first.text, explain=False).score
    assert first.effect == pytest.approx(judged.score - verdict(packaged, scorer, second.text, explain=False).score)
    assert review[first.start : first.end] == first.text == "A wonderful film."


def test_words_with_an_effect_are_listed_strongest_first(packaged: Release, scorer: LinearScorer) -> None:
    influential = verdict(packaged, scorer, "zxcvb wonderful awful waste of time qwrtp").explanation.words
    effects = [abs(word.effect) for word in influential]
    assert effects == sorted(effects, reverse=True)
    assert all(effects)
    assert not {"zxcvb", "qwrtp"} & {word.text for word in influential}


def test_explanations_are_optional(packaged: Release, scorer: LinearScorer) -> None:
    judged = verdict(packaged, scorer, "A wonderful film. Go!", explain=False)
    assert len(scorer.rows) == 1
    assert judged.explanation.sentences == judged.explanation.words == ()


def test_an_invalid_review_has_its_own_error(packaged: Release, scorer: LinearScorer) -> None:
    outcomes = verdicts(packaged, scorer, "wonderful", "", 7, None, " \n\t\x00", "awful")
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Verdict, EmptyReviewError, MalformedBodyError, MalformedBodyError, EmptyReviewError, Verdict]
    assert [getattr(outcomes[position], "label", None) for position in (0, 5)] == ["positive", "negative"]


def test_the_endpoint_is_not_called_without_rows(packaged: Release, scorer: LinearScorer) -> None:
    assert [type(outcome) for outcome in verdicts(packaged, scorer, "", "  ")] == [EmptyReviewError] * 2
    assert scorer.calls == 0


def test_too_many_reviews_are_refused(packaged: Release, scorer: LinearScorer) -> None:
    with pytest.raises(BodyTooLargeError, match="at most 100"):
        verdicts(packaged, scorer, *["good"] * (MAX_REVIEWS + 1))


@pytest.mark.parametrize(
    "review", ["zxcvb qwrtp", "\N{GRINNING FACE}", "\u0444\u0438\u043b\u044c\u043c", "...", "<br />"]
)
def test_a_review_of_unknown_words_is_not_sure(packaged: Release, scorer: LinearScorer, review: str) -> None:
    judged = verdict(packaged, scorer, review)
    assert judged.label == "not sure"
    assert judged.known_words == 0
    assert "no-known-words" in codes(judged)


def test_the_edges_of_the_band_have_a_label(packaged: Release) -> None:
    low, high = packaged.facts.not_sure_band
    labels = [sentiment.label_of(score, packaged) for score in (0.0, low, low + 1e-9, 0.5, high - 1e-9, high, 1.0)]
    assert labels == ["negative", "negative", "not sure", "not sure", "not sure", "positive", "positive"]


def test_a_long_review_is_cut_with_a_warning(packaged: Release, scorer: LinearScorer) -> None:
    filler = "the " * (MAX_REVIEW_LENGTH // 4)
    judged = verdict(packaged, scorer, filler + "awful", explain=False)
    assert "cut" in codes(judged)
    assert scorer.rows == [packaged.encoder.row(words(filler))]


@pytest.mark.parametrize(
    ("review", "code", "label"),
    [
        ("wonderful zxcvb qwrtp plokm", "few-known-words", "not sure"),
        ("this is a wonderful film zxcvb qwrtp plokm", "few-known-words", "positive"),
        ("Ce film est vraiment wonderful et je ne le recommande pas", "not-english", "not sure"),
    ],
)
def test_few_known_words_and_other_languages_have_a_warning(
    packaged: Release, scorer: LinearScorer, review: str, code: str, label: str
) -> None:
    judged = verdict(packaged, scorer, review)
    assert code in codes(judged)
    assert judged.label == label
    assert judged.score > packaged.facts.not_sure_band[1]


def test_a_call_stays_within_the_endpoints_limits(packaged: Release, scorer: LinearScorer) -> None:
    terms = packaged.encoder.vocabulary.terms
    dense = [". ".join(terms[start::MAX_REVIEWS])[:9_900] for start in range(MAX_REVIEWS)]
    outcomes = verdicts(packaged, scorer, *dense)
    assert len("\n".join(scorer.rows).encode()) <= MAX_CALL_BYTES
    assert len(scorer.rows) <= MAX_CALL_ROWS
    assert all(isinstance(outcome, Verdict) for outcome in outcomes)
    assert any("explained-in-part" in codes(outcome) for outcome in outcomes if isinstance(outcome, Verdict))


def test_a_partial_explanation_has_a_warning(
    packaged: Release, scorer: LinearScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentiment, "MAX_CALL_ROWS", 3)  # the review, its sentence, and the review without it
    judged = verdict(packaged, scorer, "A wonderful film")
    assert judged.explanation.sentences
    assert not judged.explanation.words
    assert codes(judged) == {"explained-in-part"}


def test_a_review_that_does_not_fit_in_the_call_has_its_own_error(
    packaged: Release, scorer: LinearScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = packaged.encoder.row(["wonderful"])
    monkeypatch.setattr(sentiment, "MAX_CALL_BYTES", 2 * (len(row) + 1) + 5)
    outcomes = verdicts(packaged, scorer, "wonderful", "wonderful", "wonderful", explain=False)
    assert [type(outcome) for outcome in outcomes] == [Verdict, Verdict, BodyTooLargeError]


def test_a_failed_call_gives_no_verdicts(packaged: Release) -> None:
    def failing() -> LinearScorer:
        raise SentimentError("no endpoint")

    with pytest.raises(SentimentError, match="no endpoint"):
        predict(["wonderful"], packaged, failing, lambda: 20.0, explain=True)
