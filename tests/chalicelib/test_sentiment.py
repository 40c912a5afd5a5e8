import math
from collections.abc import Callable, Sequence

import pytest

from chalicelib import release, sentiment
from chalicelib.errors import BodyTooLargeError, EmptyReviewError, MalformedBodyError, SentimentError
from chalicelib.release import Release
from chalicelib.sentiment import LARGEST_CALL, LONGEST_REVIEW, MOST_REVIEWS, MOST_ROWS, Scores, Verdict, judge
from chalicelib.text import words


class LinearScorer:
    """Scores a row by the weights of its words alone: a model that tests can foresee. Remembers what it was sent."""

    def __init__(self, packaged: Release) -> None:
        self.weights = (0.0, *packaged.encoder.vocabulary.weights)  # columns behind those say nothing
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
    packaged: Release, scorer: LinearScorer, *reviews: object, explained: bool = True
) -> list[Verdict | SentimentError]:
    return judge(reviews, packaged, lambda: scorer, lambda: 20.0, explained=explained).outcomes


def verdict(packaged: Release, scorer: LinearScorer, review: str, *, explained: bool = True) -> Verdict:
    (outcome,) = verdicts(packaged, scorer, review, explained=explained)
    assert isinstance(outcome, Verdict)
    return outcome


def codes(outcome: Verdict) -> set[str]:
    return {caution.code for caution in outcome.warnings}


def test_a_review_its_sentences_and_words_travel_in_one_call(packaged: Release, scorer: LinearScorer) -> None:
    judged = verdict(packaged, scorer, "The acting was wonderful. The plot was awful!")
    assert scorer.calls == 1
    assert len(judged.explanation.sentences) == 2
    assert {"wonderful", "awful"} <= {word.text for word in judged.explanation.words}


def test_effects_are_what_leaving_the_part_out_changes(packaged: Release, scorer: LinearScorer) -> None:
    review = "A wonderful film. Wonderful music, but an awful plot."
    judged = verdict(packaged, scorer, review)
    without = verdict(packaged, scorer, "A film. music, but an awful plot.", explained=False)
    word = next(word for word in judged.explanation.words if word.text == "wonderful")
    assert word.effect == pytest.approx(judged.score - without.score)
    assert [review[start:end] for start, end in word.places] == ["wonderful", "Wonderful"]
    first, second = judged.explanation.sentences
    assert first.score == verdict(packaged, scorer, first.text, explained=False).score
    assert first.effect == pytest.approx(judged.score - verdict(packaged, scorer, second.text, explained=False).score)
    assert review[first.start : first.end] == first.text == "A wonderful film."


def test_words_are_told_strongest_first_and_only_where_they_moved_something(
    packaged: Release, scorer: LinearScorer
) -> None:
    words_told = verdict(packaged, scorer, "zxcvb wonderful awful waste of time qwrtp").explanation.words
    effects = [abs(word.effect) for word in words_told]
    assert effects == sorted(effects, reverse=True)
    assert all(effects)
    assert not {"zxcvb", "qwrtp"} & {word.text for word in words_told}


def test_explanations_are_left_out_when_nobody_wants_them(packaged: Release, scorer: LinearScorer) -> None:
    judged = verdict(packaged, scorer, "A wonderful film. Go!", explained=False)
    assert len(scorer.rows) == 1
    assert judged.explanation.sentences == judged.explanation.words == ()


def test_a_bad_review_yields_its_error_in_its_place(packaged: Release, scorer: LinearScorer) -> None:
    outcomes = verdicts(packaged, scorer, "wonderful", "", 7, None, " \n\t\x00", "awful")
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Verdict, EmptyReviewError, MalformedBodyError, MalformedBodyError, EmptyReviewError, Verdict]
    assert [getattr(outcomes[position], "label", None) for position in (0, 5)] == ["positive", "negative"]


def test_nothing_is_asked_when_there_is_nothing_to_ask(packaged: Release, scorer: LinearScorer) -> None:
    assert [type(outcome) for outcome in verdicts(packaged, scorer, "", "  ")] == [EmptyReviewError] * 2
    assert scorer.calls == 0


def test_too_many_reviews_are_refused_as_a_whole(packaged: Release, scorer: LinearScorer) -> None:
    with pytest.raises(BodyTooLargeError, match="at most 100"):
        verdicts(packaged, scorer, *["good"] * (MOST_REVIEWS + 1))


@pytest.mark.parametrize(
    "review", ["zxcvb qwrtp", "\N{GRINNING FACE}", "\u0444\u0438\u043b\u044c\u043c", "...", "<br />"]
)
def test_a_review_of_unknown_words_is_not_sure_whatever_its_score(
    packaged: Release, scorer: LinearScorer, review: str
) -> None:
    judged = verdict(packaged, scorer, review)
    assert judged.label == "not sure"
    assert judged.known_words == 0
    assert "no-known-words" in codes(judged)


def test_the_edges_of_the_band_are_sure(packaged: Release) -> None:
    low, high = packaged.facts.not_sure_band
    labels = [sentiment.label_of(score, packaged) for score in (0.0, low, low + 1e-9, 0.5, high - 1e-9, high, 1.0)]
    assert labels == ["negative", "negative", "not sure", "not sure", "not sure", "positive", "positive"]


def test_a_long_review_is_cut_and_says_so(packaged: Release, scorer: LinearScorer) -> None:
    filler = "the " * (LONGEST_REVIEW // 4)
    judged = verdict(packaged, scorer, filler + "awful", explained=False)
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
def test_few_known_words_and_other_languages_are_warned_of_and_in_the_end_not_judged(
    packaged: Release, scorer: LinearScorer, review: str, code: str, label: str
) -> None:
    judged = verdict(packaged, scorer, review)
    assert code in codes(judged)
    assert judged.label == label
    assert judged.score > packaged.facts.not_sure_band[1]


def test_a_whole_request_stays_under_the_endpoints_limits(packaged: Release, scorer: LinearScorer) -> None:
    terms = packaged.encoder.vocabulary.terms
    dense = [". ".join(terms[start::MOST_REVIEWS])[:9_900] for start in range(MOST_REVIEWS)]
    outcomes = verdicts(packaged, scorer, *dense)
    assert len("\n".join(scorer.rows).encode()) <= LARGEST_CALL
    assert len(scorer.rows) <= MOST_ROWS
    assert all(isinstance(outcome, Verdict) for outcome in outcomes)
    assert any("explained-in-part" in codes(outcome) for outcome in outcomes if isinstance(outcome, Verdict))


def test_a_review_whose_words_found_no_row_says_so(
    packaged: Release, scorer: LinearScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentiment, "MOST_ROWS", 3)  # its own, and its sentence with and without
    judged = verdict(packaged, scorer, "A wonderful film")
    assert judged.explanation.sentences
    assert not judged.explanation.words
    assert codes(judged) == {"explained-in-part"}


def test_a_review_that_does_not_fit_the_call_is_refused_alone(
    packaged: Release, scorer: LinearScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = packaged.encoder.row(["wonderful"])
    monkeypatch.setattr(sentiment, "LARGEST_CALL", 2 * (len(row) + 1) + 5)
    outcomes = verdicts(packaged, scorer, "wonderful", "wonderful", "wonderful", explained=False)
    assert [type(outcome) for outcome in outcomes] == [Verdict, Verdict, BodyTooLargeError]


def test_a_failing_endpoint_yields_no_verdict_at_all(packaged: Release) -> None:
    def failing() -> LinearScorer:
        raise SentimentError("no endpoint")

    with pytest.raises(SentimentError, match="no endpoint"):
        judge(["wonderful"], packaged, failing, lambda: 20.0, explained=True)
