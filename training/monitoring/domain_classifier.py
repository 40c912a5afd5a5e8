"""A classifier between old and new reviews: how well it separates them, and by which words.

A logistic regression on bags of words, with five-fold cross-validation. The area under its ROC curve (AUC) is the
probability that it scores a new review above an old one: 0.5 if they cannot be separated. Its interval is that of
DeLong et al., "Comparing the areas under two or more correlated receiver operating characteristic curves", Biometrics
44 (1988).
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
FOLDS = 5
MAX_WORDS = 20_000
MIN_REVIEWS_WITH_WORD = 3
WORDS_SHOWN = 20  # for each side
_TWO_SIDED_95 = 1.96  # standard errors


class Separation(NamedTuple):
    """How well old and new reviews can be separated: the AUC with its 95% interval, and the words with their weights.

    Positive weights are of words that are typical of new reviews; the largest weights come first.
    """

    auc: float
    low: float
    high: float
    old_words: list[tuple[str, float]]
    new_words: list[tuple[str, float]]


def separate(old: Sequence[Sequence[str]], new: Sequence[Sequence[str]], seed: int) -> Separation:
    """Train the classifier with equally many reviews, given as their words, of each side."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    size = min(len(old), len(new))
    texts = [text for side in (old, new) for text in random.Random(seed).sample(list(side), size)]
    is_new = np.repeat([0, 1], size)
    vectorizer = TfidfVectorizer(  # presence of words; a review's length is compared elsewhere
        analyzer=lambda text: text, binary=True, use_idf=False, min_df=MIN_REVIEWS_WITH_WORD, max_features=MAX_WORDS
    )
    bags = vectorizer.fit_transform(texts)
    classifier = LogisticRegression(solver="liblinear", random_state=seed)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    scores = cross_val_predict(classifier, bags, is_new, cv=folds, method="decision_function")
    weights = classifier.fit(bags, is_new).coef_[0]
    vocabulary = vectorizer.get_feature_names_out()
    order = np.argsort(weights)
    old_words = [(str(vocabulary[i]), float(weights[i])) for i in order[:WORDS_SHOWN] if weights[i] < 0]
    new_words = [(str(vocabulary[i]), float(weights[i])) for i in order[::-1][:WORDS_SHOWN] if weights[i] > 0]
    return Separation(*auc_interval(scores[is_new == 0], scores[is_new == 1]), old_words, new_words)


def auc_interval(negative: Floats, positive: Floats) -> tuple[float, float, float]:
    """Return the AUC and its 95% interval (DeLong) from the scores of both classes."""
    from scipy.stats import rankdata

    ranks = rankdata(np.concatenate([positive, negative]))
    above = (ranks[: len(positive)] - rankdata(positive)) / len(negative)  # the share of negatives below each positive
    below = 1 - (ranks[len(positive) :] - rankdata(negative)) / len(positive)
    auc = float(above.mean())
    error = _TWO_SIDED_95 * float(np.sqrt(above.var(ddof=1) / len(positive) + below.var(ddof=1) / len(negative)))
    return auc, max(auc - error, 0.0), min(auc + error, 1.0)
