import math
from collections.abc import Callable, Sequence

import pytest

from chalicelib import release, sentiment
from chalicelib.errors import BodyTooLargeError, EmptyReviewError, MalformedBodyError, SentimentError
from chalicelib.release import Release
from chalicelib.sentiment import MAX_CALL_BYTES, MAX_CALL_ROWS, MAX_REVIEWS, Scores, Verdict, predict
from chalicelib.text import MAX_REVIEW_LENGTH, words


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
    first, second = judged.explanation.sentences
    sentence = (first, second)[word.sentence]
    alone = verdict(packaged, scorer, sentence.text.lower().replace("wonderful", ""), explain=False)
    assert word.sentence_effect == pytest.approx(sentence.score - alone.score)
    assert [review[start:end].lower() for start, end in word.places] == ["wonderful"]
    assert first.score == verdict(packaged, scorer, first.text, explain=False).score
    assert first.effect == pytest.approx(judged.score - verdict(packaged, scorer, second.text, explain=False).score)
    assert review[first.start : first.end] == first.text == "A wonderful film."


def test_words_with_an_effect_are_listed_strongest_first(packaged: Release, scorer: LinearScorer) -> None:
    influential = verdict(packaged, scorer, "zxcvb wonderful awful waste of time qwrtp").explanation.words
    effects = [abs(word.sentence_effect) for word in influential]
    assert effects == sorted(effects, reverse=True)
    assert all(effects)
    assert not {"zxcvb", "qwrtp"} & {word.text for word in influential}


def test_a_sentences_score_is_its_score_as_a_review_across_markup(packaged: Release, scorer: LinearScorer) -> None:
    review = 'An <a title="awful. Wonderful">awful</a> plot. A <b>wonder</b>ful film &lt;br. Awful&gt; <i\n>end</i>.'
    explained = verdict(packaged, scorer, review).explanation.sentences
    assert len(explained) > 2
    for sentence in explained:
        assert sentence.score == verdict(packaged, scorer, sentence.text, explain=False).score


def test_a_word_is_marked_by_its_effect_in_each_sentence(packaged: Release, scorer: LinearScorer) -> None:
    explained = verdict(packaged, scorer, "Awful! An awful, wonderful film. Wonderful music.").explanation
    found = {(word.sentence, word.text) for word in explained.words}
    assert {(0, "awful"), (1, "awful"), (1, "wonderful"), (2, "wonderful")} <= found


def test_function_words_are_not_marked_and_negations_are(packaged: Release, scorer: LinearScorer) -> None:
    explained = verdict(packaged, scorer, "I would not recommend it to the two of them.").explanation
    assert {word.text for word in explained.words} <= {"not", "recommend", "would"}
    assert "not" in {word.text for word in explained.words}


def test_strong_sentences_on_both_sides_are_mixed(packaged: Release, scorer: LinearScorer) -> None:
    good, bad = "Wonderful, superb and excellent.", "Awful, a waste, the worst."
    assert verdict(packaged, scorer, f"{good} {bad}").explanation.mixed
    assert not verdict(packaged, scorer, f"{good} {good}").explanation.mixed
    assert not verdict(packaged, scorer, f"{good} {good} {good} {bad}").explanation.mixed


def test_review_level_effects_are_computed_for_few_parts_of_a_long_review(
    packaged: Release, scorer: LinearScorer
) -> None:
    review = "A wonderful film with an awful plot. " * 100
    explained = verdict(packaged, scorer, review).explanation
    effects = [part.effect for part in (*explained.sentences, *explained.words)]
    assert None in effects
    assert any(effect is not None for effect in effects)
    encoded = sum(len(row.split(" ")) for row in scorer.rows)
    scorer.rows.clear()
    verdict(packaged, scorer, review * 2)
    assert sum(len(row.split(" ")) for row in scorer.rows) < 2.2 * encoded


def test_later_reviews_are_not_explained_once_the_budget_is_used(
    packaged: Release, scorer: LinearScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentiment, "MAX_EXPLANATION_WORK", 1_000)
    outcomes = verdicts(packaged, scorer, *["A wonderful film with an awful plot. " * 10] * 5)
    explained = [bool(outcome.explanation.sentences) for outcome in outcomes if isinstance(outcome, Verdict)]
    warned = ["not-explained" in codes(outcome) for outcome in outcomes if isinstance(outcome, Verdict)]
    assert explained == sorted(explained, reverse=True)
    assert explained == [not warning for warning in warned]
    assert set(explained) == {True, False}


def test_nothing_is_explained_after_the_time_for_it(packaged: Release, scorer: LinearScorer) -> None:
    seconds = iter([20.0, 20.0, 14.0, 14.0, 14.0])
    outcomes = predict(
        ["A wonderful film."] * 2, packaged, lambda: scorer, lambda: next(seconds), explain=True
    ).outcomes
    explained = [bool(outcome.explanation.sentences) for outcome in outcomes if isinstance(outcome, Verdict)]
    assert explained == [True, False]


def test_explanations_are_optional(packaged: Release, scorer: LinearScorer) -> None:
    judged = verdict(packaged, scorer, "A wonderful film. Go!", explain=False)
    assert len(scorer.rows) == 1
    assert judged.explanation.sentences == judged.explanation.words == ()


def test_an_invalid_review_has_its_own_error(packaged: Release, scorer: LinearScorer) -> None:
    outcomes = verdicts(packaged, scorer, "superb", "", 7, None, " \n\t\x00", "awful")
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Verdict, EmptyReviewError, MalformedBodyError, MalformedBodyError, EmptyReviewError, Verdict]
    assert [getattr(outcomes[position], "label", None) for position in (0, 5)] == ["positive", "negative"]


def test_the_endpoint_is_not_called_without_rows(packaged: Release, scorer: LinearScorer) -> None:
    assert [type(outcome) for outcome in verdicts(packaged, scorer, "", "  ")] == [EmptyReviewError] * 2
    assert scorer.calls == 0


def test_too_many_reviews_are_refused(packaged: Release, scorer: LinearScorer) -> None:
    with pytest.raises(BodyTooLargeError, match="at most 100"):
        verdicts(packaged, scorer, *["good"] * (MAX_REVIEWS + 1))


@pytest.mark.parametrize("review", ["zxcvb qwrtp", "\N{ROCKET}", "\u0444\u0438\u043b\u044c\u043c", "...", "<br />"])
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
        ("superb zxcvb qwrtp plokm", "few-known-words", "not sure"),
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
    assert any("not-explained" in codes(outcome) for outcome in outcomes if isinstance(outcome, Verdict))


def test_a_partial_explanation_has_a_warning(
    packaged: Release, scorer: LinearScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentiment, "MAX_CALL_ROWS", 2)  # the review and its sentence
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
