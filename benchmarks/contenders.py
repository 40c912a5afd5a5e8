"""The alternatives to Verdict, each with a function that trains it: two lexicons and five models.

All are trained on the same texts on one thread, with settings chosen on a fifth of the training reviews and never on
the test. Their packages are in requirements-alternatives.txt and are imported when a contender is trained.
"""

import importlib
import pickle
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from benchmarks.packages import is_installed
from benchmarks.tutorial import VOCABULARY_SIZE, words_of
from chalicelib.text import words
from training.evaluation.predictions import Floats, Integers
from training.model.hyperparameters import PRESETS, parse

ScoreTexts = Callable[[Sequence[str]], Floats]  # texts -> a score each: the larger, the more positive

XGBOOST = "xgboost-cpu" if sys.platform == "linux" else "xgboost"
TUTORIAL_VALIDATION = 10_000  # reviews; the other 15,000 are trained on


@dataclass(frozen=True)
class TrainedContender:
    """A contender that can score texts.

    If its scores are `probabilities`, those above 0.5 mean positive, otherwise those above 0. `learned_bytes` is the
    size of the saved model; 0 if the model is part of the packages. Probabilities strictly between the two of
    `not_sure_band` are "not sure"; without a band, every score is an answer.
    """

    score: ScoreTexts
    learned_bytes: int
    probabilities: bool = True
    not_sure_band: tuple[float, float] | None = None

    @property
    def threshold(self) -> float:
        """The score above which a text is positive."""
        return 0.5 if self.probabilities else 0.0


@dataclass(frozen=True)
class Contender:
    """An alternative: its name, the packages it needs, and how to train it on texts and labels (1: positive)."""

    name: str
    needs: tuple[str, ...]
    train: Callable[[Sequence[str], Integers], TrainedContender]

    @property
    def missing(self) -> list[str]:
        """The packages that are not installed."""
        return [name for name in self.needs if not is_installed(name)]


def vader(_texts: Sequence[str], _labels: Integers) -> TrainedContender:
    """Return VADER unchanged: the sign of its compound score."""
    analyzer = importlib.import_module("vaderSentiment.vaderSentiment").SentimentIntensityAnalyzer()
    return TrainedContender(
        lambda texts: np.array([analyzer.polarity_scores(text)["compound"] for text in texts]), 0, False
    )


def textblob(_texts: Sequence[str], _labels: Integers) -> TrainedContender:
    """Return TextBlob unchanged: the sign of its polarity. Its lexicon is part of the package."""
    blob: Any = importlib.import_module("textblob").TextBlob
    return TrainedContender(lambda texts: np.array([blob(text).sentiment.polarity for text in texts]), 0, False)


def counts_and_logistic_regression(texts: Sequence[str], labels: Integers) -> TrainedContender:
    """Train on the counts of the 5,000 most frequent words, as scikit-learn splits them."""
    from sklearn.feature_extraction.text import CountVectorizer

    return _logistic_regression(CountVectorizer(max_features=VOCABULARY_SIZE), 0.05, texts, labels)


def tfidf_and_logistic_regression(texts: Sequence[str], labels: Integers) -> TrainedContender:
    """Train on the tf-idf of words and pairs."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(**_tokens(2), sublinear_tf=True)
    return _logistic_regression(vectorizer, 30.0, texts, labels)


def _tokens(longest: int) -> dict[str, Any]:
    """Return a vectorizer's settings for n-grams of words, as Verdict cleans them, in at least two reviews."""
    return {
        "tokenizer": words,
        "token_pattern": None,
        "lowercase": False,
        "ngram_range": (1, longest),
        "min_df": 2,
        "dtype": np.float32,
    }


def _logistic_regression(
    vectorizer: Any, inverse_penalty: float, texts: Sequence[str], labels: Integers
) -> TrainedContender:
    """Train a logistic regression on a vectorizer's features."""
    from sklearn.linear_model import LogisticRegression

    regression = LogisticRegression(C=inverse_penalty, max_iter=1000).fit(vectorizer.fit_transform(texts), labels)
    return TrainedContender(
        lambda new_texts: regression.predict_proba(vectorizer.transform(new_texts))[:, 1],
        len(pickle.dumps((vectorizer, regression))),
    )


def nb_svm(texts: Sequence[str], labels: Integers) -> TrainedContender:
    """Train a logistic regression on n-grams of one to three words, scaled by their naive Bayes log-count ratios.

    Source: Wang and Manning, "Baselines and Bigrams", ACL 2012, with logistic loss to get probabilities.
    """
    from scipy.sparse import diags_array
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import normalize

    vectorizer = CountVectorizer(**_tokens(3), binary=True)
    presence = vectorizer.fit_transform(texts)
    positive, negative = (np.asarray(presence[labels == label].sum(axis=0)).ravel() + 1.0 for label in (1, 0))
    ratios = np.log(positive / positive.sum() / (negative / negative.sum())).astype(np.float32)
    scale = diags_array(ratios)
    regression = LogisticRegression(C=30.0, max_iter=1000).fit(normalize(presence @ scale), labels)
    return TrainedContender(
        lambda new_texts: regression.predict_proba(normalize(vectorizer.transform(new_texts) @ scale))[:, 1],
        len(pickle.dumps((vectorizer, ratios, regression))),
    )


def fasttext(texts: Sequence[str], labels: Integers) -> TrainedContender:
    """Train fastText's classifier on words and pairs."""
    library: Any = importlib.import_module("fasttext")
    with tempfile.TemporaryDirectory() as folder:
        lines, saved = Path(folder) / "train.txt", Path(folder) / "model.bin"
        lines.write_text(
            "".join(f"__label__{label} {' '.join(words(text))}\n" for text, label in zip(texts, labels, strict=True)),
            encoding="utf-8",
        )
        model = library.train_supervised(str(lines), lr=0.5, epoch=5, dim=50, wordNgrams=2, thread=1, verbose=0)
        model.save_model(str(saved))
        learned_bytes = saved.stat().st_size

    def score(new_texts: Sequence[str]) -> Floats:
        predictions = (model.predict(" ".join(words(text)), k=2) for text in new_texts)
        return np.array([dict(zip(*each, strict=True)).get("__label__1", 0.5) for each in predictions]).clip(0, 1)

    return TrainedContender(score, learned_bytes)


def tutorial(texts: Sequence[str], labels: Integers) -> TrainedContender:
    """Train as the tutorial does: counts of 5,000 words, shallow trees, 15,000 of the 25,000 reviews."""
    from sklearn.feature_extraction.text import CountVectorizer

    settings = parse(PRESETS["tutorial"])
    order = random.Random(1).sample(range(len(texts)), len(texts))
    held_out, kept = order[:TUTORIAL_VALIDATION], order[TUTORIAL_VALIDATION:]
    vectorizer = CountVectorizer(max_features=VOCABULARY_SIZE, preprocessor=_cleaned, dtype=np.float32)
    rows = {"train": vectorizer.fit_transform([texts[i] for i in kept])}
    rows["validation"] = vectorizer.transform([texts[i] for i in held_out])
    matrices = {
        name: xgboost.DMatrix(rows[name].toarray(), labels[indices], nthread=1)
        for name, indices in (("train", kept), ("validation", held_out))
    }
    booster = xgboost.train(
        settings.booster,
        matrices["train"],
        settings.num_round,
        evals=[(matrices["validation"], "validation")],
        early_stopping_rounds=settings.early_stopping_rounds,
        verbose_eval=False,
    )
    last = booster.best_iteration + 1

    def score(new_texts: Sequence[str]) -> Floats:  # absent words are zeros, as in training
        new_rows = xgboost.DMatrix(vectorizer.transform(new_texts).toarray(), nthread=1)
        return np.asarray(booster.predict(new_rows, iteration_range=(0, last)), dtype=np.float64)

    return TrainedContender(score, len(pickle.dumps(vectorizer)) + len(booster[:last].save_raw("ubj")))


def _cleaned(review: str) -> str:
    """Return a review as the tutorial's function cleans it, for scikit-learn to split."""
    return " ".join(words_of(review))


_SKLEARN = ("scikit-learn",)
CONTENDERS = (
    Contender("VADER", ("vaderSentiment",), vader),
    Contender("TextBlob", ("textblob",), textblob),
    Contender("the tutorial", (XGBOOST, "scikit-learn"), tutorial),
    Contender("5,000 counts + logistic regression", _SKLEARN, counts_and_logistic_regression),
    Contender("fastText, pairs", ("fasttext-numpy2-wheel",), fasttext),
    Contender("tf-idf, pairs + logistic regression", _SKLEARN, tfidf_and_logistic_regression),
    Contender("NB-SVM, 1-3 words", _SKLEARN, nb_svm),
)
