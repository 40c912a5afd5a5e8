"""The benchmark of `python -m benchmarks.alternatives`: the packaged release beside its alternatives, in one run.

Each contender that learns is trained on the official training reviews, and once more on these and the Sentiment
Treebank's sentences and phrases. All are evaluated on the official test, an excerpt of one to three sentences of each
of its reviews, the Treebank's test sentences, and the authors' sentences. Nothing was trained or chosen on any of
these. Times are processor times on one thread, which other work on the machine affects little.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from rich.console import Console

from benchmarks.contenders import CONTENDERS, XGBOOST, Contender, ScoreTexts, TrainedContender
from benchmarks.datasets import Datasets, LabelledTexts, load_datasets
from benchmarks.packages import installed_bytes, with_requirements
from benchmarks.results import Result, markdown_of, note_lines, read_results, table_of, write_results
from chalicelib import release
from chalicelib.release import NGRAM_TABLE_NAME, VOCABULARY_NAME
from training.data.authored_sentences import LabelledSentence
from training.data.collect import Additions, collect
from training.data.reviews import DataError, Review
from training.data.splits import TEST
from training.data.treebank import check_official, read_treebank
from training.evaluation.metrics import measure as measure_split
from training.evaluation.packaged_model import MODEL_FOLDER, load_packaged_model
from training.evaluation.predictions import Floats, Integers, ScoredReviews
from training.evaluation.thresholds import coverage_and_precision
from training.features.prepare import prepare
from training.model.run_folder import MODEL_NAME
from training.model.train import train
from training.project import ROOT

REQUIREMENTS = "requirements-alternatives.txt"
RESULTS = Path("runs/alternatives.json")
TIMED_REVIEWS = 300
WITH_TREEBANK = " + Treebank"  # added to the name of a contender that was also trained on the Treebank
BATCH = 1_000  # texts scored at a time, which limits memory


def packaged_contender(data: Path, folder: Path) -> Contender:
    """Return the packaged release as a contender; its preparation and training are repeated to time them."""
    packaged = release.load()

    def train_again(_training: LabelledTexts) -> TrainedContender:
        prepare(data, folder / "channels")
        train(folder / "channels", folder / "run", packaged.facts.hyperparameters)
        parts = [release.PACKAGED / name for name in (VOCABULARY_NAME, NGRAM_TABLE_NAME)]
        files = [ROOT / MODEL_FOLDER / MODEL_NAME, *filter(Path.exists, parts)]
        learned_bytes = sum(file.stat().st_size for file in files)
        return TrainedContender(load_packaged_model().score, learned_bytes, not_sure_band=packaged.facts.not_sure_band)

    return Contender(f"Verdict, release {packaged.release_id}", (XGBOOST,), train_again, learns=False)


def rows_of(contenders: Iterable[Contender], datasets: Datasets) -> Iterator[tuple[Contender, bool]]:
    """Yield (contender, whether it is trained on the Treebank too) for each row of the table."""
    for contender in contenders:
        yield contender, False
        if contender.learns and datasets.treebank:
            yield replace(contender, name=f"{contender.name}{WITH_TREEBANK}"), True


def measure(contender: Contender, datasets: Datasets, with_treebank: bool = False) -> Result:
    """Train a contender and evaluate it on all datasets."""
    training = datasets.training(with_treebank, contender.reviews_every)
    started = _processor_seconds()
    trained = contender.train(training)
    spent = _processor_seconds() - started
    datasets = datasets.with_test_of_every(contender.reviews_every)
    texts, labels = [review.text for review in datasets.test], datasets.test_labels
    scores = in_batches(trained.score, texts)
    log_loss, calibration_error = (
        _probability_figures(datasets.test, labels, scores) if trained.probabilities else (None, None)
    )
    short = {"excerpts": (in_batches(trained.score, datasets.excerpts), labels)}
    if treebank := datasets.treebank:
        short["SST test"] = (in_batches(trained.score, [each.text for each in treebank.test]), treebank.test_labels)
    correct = _correct_sentences(trained, datasets.sentences)
    return Result(
        name=contender.name,
        reviews_scored=len(texts),
        accuracy=_accuracy(trained, scores, labels),
        excerpts=_accuracy(trained, *short["excerpts"]),
        treebank=_accuracy(trained, *short["SST test"]) if treebank else None,
        sentences=float(np.mean(list(correct.values()))),
        sentences_within_reach=float(np.mean([each for sentence, each in correct.items() if sentence.bag_of_words])),
        log_loss=log_loss,
        calibration_error=calibration_error,
        milliseconds=milliseconds(trained.score, texts),
        learned_bytes=trained.learned_bytes or None,
        package_bytes=sum(map(installed_bytes, with_requirements(contender.needs))),
        training_seconds=spent if trained.learned_bytes else None,
        answered=_coverage(trained, short),
    )


def _correct_sentences(
    trained: TrainedContender, sentences: Sequence[LabelledSentence]
) -> dict[LabelledSentence, bool]:
    """Return whether each sentence is classified correctly."""
    scores = trained.score([sentence.text for sentence in sentences]).tolist()
    return {
        sentence: (score > trained.threshold) == (sentence.label == "positive")
        for sentence, score in zip(sentences, scores, strict=True)
    }


def _accuracy(trained: TrainedContender, scores: Floats, labels: Integers) -> float:
    """Return the accuracy, 0..1."""
    return float(((scores > trained.threshold) == labels).mean())


def _coverage(trained: TrainedContender, short: Mapping[str, tuple[Floats, Integers]]) -> dict[str, dict[str, float]]:
    """Return the coverage and the precision outside the not-sure band by set of texts; nothing without a band."""
    band = trained.not_sure_band
    if band is None:
        return {}
    return {
        name: dict(zip(("share", "right"), coverage_and_precision(*each, band), strict=True))
        for name, each in short.items()
    }


def in_batches(score: ScoreTexts, texts: Sequence[str]) -> Floats:
    """Score many texts in batches."""
    return np.concatenate([score(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)])


def milliseconds(score: ScoreTexts, texts: Sequence[str], count: int = TIMED_REVIEWS) -> float:
    """Return the median processor time in milliseconds of a single text, over `count` evenly spaced texts."""
    spent = []
    for text in texts[:: max(len(texts) // count, 1)][:count]:
        started = time.thread_time()
        score([text])
        spent.append((time.thread_time() - started) * 1000)
    return statistics.median(spent)


def _processor_seconds() -> float:
    """Return the processor time of this process and of all its child processes that have ended."""
    return sum(os.times()[:4])


def _probability_figures(reviews: Sequence[Review], labels: Integers, probabilities: Floats) -> tuple[float, float]:
    """Return the log loss and the calibration error, as `verdict evaluate` computes them."""
    unknown = np.zeros(len(reviews), dtype=np.int64)
    scored = ScoredReviews(
        ids=[review.id for review in reviews],
        labels=labels,
        ratings=unknown,
        folds=unknown + TEST,
        word_counts=unknown,
        known_shares=unknown / 1.0,
        probabilities=probabilities,
    )
    figures = measure_split(scored, (0.5, 0.5))
    return figures.log_loss, figures.calibration_error


def select_contenders(contenders: Iterable[Contender], available: bool) -> list[Contender]:
    """Return all contenders, or with `available` those whose packages are installed.

    Raises `ClickException` if packages are missing and `available` is not set.
    """
    missing = {contender.name: contender.missing for contender in contenders if contender.missing}
    if missing and not available:
        names = ", ".join(sorted({name for each in missing.values() for name in each}))
        raise click.ClickException(
            f"Missing packages: {names}, for {', '.join(missing)}. Run `pip install -r {REQUIREMENTS}` "
            "(or `make bench-alternatives`), or leave these contenders out with --available."
        )
    return [contender for contender in contenders if contender.name not in missing]


def update_results(path: Path, results: Sequence[Result], facts: Mapping[str, object], only: str) -> list[Result]:
    """Return the results of an earlier run with these in place of its rows whose names begin with `only`.

    Raises `ClickException` if that run was evaluated on other data.
    """
    stored, earlier = read_results(path)
    differing = [name for name, value in facts.items() if name != "release" and stored.get(name) != value]
    if differing:
        raise click.ClickException(
            f"{path} has figures of other data: {', '.join(differing)} differ. "
            "Run without --only, or with another --into."
        )
    return [*(result for result in earlier if not _is_named(result.name, only)), *results]


def _is_named(name: str, only: str) -> bool:
    """Return whether a contender's name begins with `only`."""
    return name.casefold().startswith(only.casefold())


def _check_treebank(_context: click.Context, _option: click.Parameter, path: Path | None) -> Path | None:
    """Check that a file or folder is the official Treebank, so that another is refused before any training."""
    try:
        if path:
            check_official(path, read_treebank(path))
    except DataError as error:
        raise click.ClickException(error.detail) from error
    return path


@click.command()
@click.option(
    "--archive",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="VERDICT_ARCHIVE",
    required=True,
    show_envvar=True,
    help="The official archive, aclImdb_v1.tar.gz.",
)
@click.option(
    "--treebank",
    type=click.Path(exists=True, path_type=Path),
    callback=_check_treebank,
    help="The Sentiment Treebank: trainDevTestTrees_PTB.zip, or a folder with train.txt, dev.txt and test.txt.",
)
@click.option(
    "--into",
    type=click.Path(dir_okay=False, path_type=Path),
    default=RESULTS,
    show_default=True,
    help="The JSON file to write.",
)
@click.option("--only", default="", metavar="NAME", help="Update only the rows of --into whose names begin with this.")
@click.option("--available", is_flag=True, help="Leave out contenders that are not installed.")
@click.option("--markdown", is_flag=True, help="Print the table as Markdown.")
def command(archive: Path, treebank: Path | None, into: Path, only: str, available: bool, markdown: bool) -> None:
    """Measure the packaged release beside its alternatives."""
    progress = Console(stderr=True)
    results, facts = run(archive, treebank, only, available, progress)
    if only:
        results = update_results(into, results, facts, only)
    write_results(into, results, facts)
    if markdown:
        click.echo(markdown_of(results), nl=False)
    else:
        Console().print(table_of(results))
    click.echo("\n".join(["", *note_lines(results)]))


def run(
    archive: Path, treebank: Path | None, only: str, available: bool, progress: Console
) -> tuple[list[Result], dict[str, object]]:
    """Measure the contenders whose names begin with `only`; returns their results and the facts about the run."""
    from threadpoolctl import threadpool_limits

    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        data = Path(folder) / "data"
        contenders = [*CONTENDERS, packaged_contender(data, Path(folder))]
        contenders = select_contenders([each for each in contenders if _is_named(each.name, only)], available)
        with progress.status("Reading reviews"):
            collect(archive, data, official=True, additions=Additions(treebank))
            datasets = load_datasets(data)
        results = []
        for contender, with_treebank in rows_of(contenders, datasets):
            with progress.status(contender.name):
                results.append(measure(contender, datasets, with_treebank))
    return results, {"release": release.load().release_id, **datasets.facts}


if __name__ == "__main__":
    command(prog_name="python -m benchmarks.alternatives")
