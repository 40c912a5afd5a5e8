"""`python -m benchmarks.alternatives`: the packaged release beside what a user would pick instead, in one run.

Each contender learns from the official training reviews and is asked about the official test, a crop of one to three
sentences of each of its reviews, sentences of another site, and the sentences that the authors wrote. All of these are
for judging: nothing was trained or chosen on them. Times are of the processor, on one thread, so that what else runs
on the machine counts little.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import click
import numpy as np
from rich.console import Console

from benchmarks import snippets
from benchmarks.contenders import CONTENDERS, XGBOOST, Contender, Floats, Integers, Score, Trained
from benchmarks.material import Material, gather
from benchmarks.packages import installed_bytes, with_requirements
from benchmarks.results import Result, answered_lines, markdown_of, table_of, write_results
from benchmarks.sentences import PROJECT, score_of
from benchmarks.snippets import Snippets
from chalicelib import release
from chalicelib.release import NGRAM_TABLE_NAME, VOCABULARY_NAME
from training.data.collect import collect
from training.data.reviews import DataError, Review
from training.data.splits import TEST
from training.evaluation.metrics import measure as measure_split
from training.evaluation.predictions import ScoredReviews
from training.evaluation.thresholds import coverage_and_precision
from training.features.prepare import prepare
from training.model.run_folder import MODEL_NAME
from training.model.train import train
from training.release import MODEL_FOLDER

REQUIREMENTS = "requirements-alternatives.txt"
INTO = Path("runs/alternatives.json")
TIMED_REVIEWS = 300
BATCH = 1_000  # texts scored at a time, which bounds memory


def packaged_contender(data: Path, folder: Path) -> Contender:
    """Make a contender of the packaged release; its training, from reviews to model, is done again to be timed."""
    packaged = release.load()

    def train_again(_texts: Sequence[str], _labels: Integers) -> Trained:
        prepare(data, folder / "channels")
        train(folder / "channels", folder / "run", packaged.facts.hyperparameters)
        parts = [release.PACKAGED / name for name in (VOCABULARY_NAME, NGRAM_TABLE_NAME)]
        files = [PROJECT / MODEL_FOLDER / MODEL_NAME, *filter(Path.exists, parts)]
        learned_bytes = sum(file.stat().st_size for file in files)
        return Trained(score_of(packaged), learned_bytes, not_sure_band=packaged.facts.not_sure_band)

    return Contender(f"Verdict, release {packaged.release_id}", (XGBOOST,), train_again)


def measure(contender: Contender, material: Material) -> Result:
    """Train a contender and ask it everything."""
    started = _processor_seconds()
    trained = contender.train(material.texts, material.labels)
    spent = _processor_seconds() - started
    texts, labels = [review.text for review in material.test], material.test_labels
    short = {"crops": (in_batches(trained.score, material.crops), labels)}
    if material.snippets:
        short["another site"] = (in_batches(trained.score, material.snippets.texts), material.snippets.labels)
    scores = in_batches(trained.score, texts)
    positive = np.array([sentence.label == "positive" for sentence in material.sentences])
    reach = np.array([sentence.bag_of_words for sentence in material.sentences])
    right = (trained.score([sentence.text for sentence in material.sentences]) > trained.threshold) == positive
    certainty = _certainty(material.test, labels, scores) if trained.probabilities else (None, None)
    return Result(
        name=contender.name,
        accuracy=_accuracy(trained, scores, labels),
        crops=_accuracy(trained, *short["crops"]),
        snippets=_accuracy(trained, *short["another site"]) if material.snippets else None,
        sentences=float(right.mean()),
        sentences_within_reach=float(right[reach].mean()),
        log_loss=certainty[0],
        calibration_error=certainty[1],
        milliseconds=milliseconds(trained.score, texts),
        learned_bytes=trained.learned_bytes or None,
        package_bytes=sum(map(installed_bytes, with_requirements(contender.needs))),
        training_seconds=spent if trained.learned_bytes else None,
        answered=_answered(trained, short),
    )


def _accuracy(trained: Trained, scores: Floats, labels: Integers) -> float:
    """Return the share of right answers, 0..1."""
    return float(((scores > trained.threshold) == labels).mean())


def _answered(trained: Trained, short: Mapping[str, tuple[Floats, Integers]]) -> dict[str, dict[str, float]]:
    """Return the share of scores outside the not-sure band, and how much of that is right, by what was asked."""
    band = trained.not_sure_band
    if band is None:
        return {}
    return {
        asked: dict(zip(("share", "right"), coverage_and_precision(*each, band), strict=True))
        for asked, each in short.items()
    }


def in_batches(score: Score, texts: Sequence[str]) -> Floats:
    """Score many texts, a batch at a time."""
    return np.concatenate([score(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)])


def milliseconds(score: Score, texts: Sequence[str], count: int = TIMED_REVIEWS) -> float:
    """Return the median of the processor's milliseconds for one text at a time, over `count` texts spread evenly."""
    spent = []
    for text in texts[:: max(len(texts) // count, 1)][:count]:
        started = time.thread_time()
        score([text])
        spent.append((time.thread_time() - started) * 1000)
    return statistics.median(spent)


def _processor_seconds() -> float:
    """Return the processor time of this process and of all its children that have ended."""
    return sum(os.times()[:4])


def _certainty(reviews: Sequence[Review], labels: Integers, probabilities: Floats) -> tuple[float, float]:
    """Return log loss and calibration error, as training measures them."""
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


def chosen(contenders: Iterable[Contender], available: bool) -> list[Contender]:
    """Return the contenders to measure: all, or with `available` those whose packages are installed."""
    lacking = {contender.name: contender.missing for contender in contenders if contender.missing}
    if lacking and not available:
        names = ", ".join(sorted({name for each in lacking.values() for name in each}))
        raise click.ClickException(
            f"{names} not installed, which {', '.join(lacking)} need. Run `pip install -r {REQUIREMENTS}` "
            "(or `make bench-alternatives`), or leave them out with --available."
        )
    return [contender for contender in contenders if contender.name not in lacking]


def _read_snippets(_context: click.Context, _option: click.Parameter, sdist: Path | None) -> Snippets | None:
    """Read the snippets before anything is trained."""
    try:
        return snippets.read(sdist) if sdist else None
    except DataError as error:
        raise click.ClickException(error.detail) from error


@click.command()
@click.option(
    "--archive",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="VERDICT_ARCHIVE",
    required=True,
    help="aclImdb_v1.tar.gz; VERDICT_ARCHIVE says it too.",
)
@click.option(
    "--snippets",
    "asked_snippets",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="VERDICT_SNIPPETS",
    callback=_read_snippets,
    help=f"{snippets.SDIST}, which holds another site's sentences; VERDICT_SNIPPETS says it too.",
)
@click.option("--into", type=click.Path(dir_okay=False, path_type=Path), default=INTO, show_default=True)
@click.option("--available", is_flag=True, help="Leave out what is not installed.")
@click.option("--markdown", is_flag=True, help="Print the table as Markdown.")
def command(archive: Path, asked_snippets: Snippets | None, into: Path, available: bool, markdown: bool) -> None:
    """Measure the packaged release and what a user would pick instead."""
    from threadpoolctl import threadpool_limits

    contenders, progress = chosen(CONTENDERS, available), Console(stderr=True)
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        data = Path(folder) / "data"
        with progress.status("Reading reviews"):
            collect(archive, data, official=True)
            material = gather(data, asked_snippets)
        results = []
        for contender in (*contenders, packaged_contender(data, Path(folder))):
            with progress.status(contender.name):
                results.append(measure(contender, material))
    write_results(into, results, {"release": release.load().release_id, **material.facts})
    if markdown:
        click.echo(markdown_of(results), nl=False)
    else:
        Console().print(table_of(results))
    click.echo("\n".join(["", *answered_lines(results), "", snippets.told(material.snippets)]))


if __name__ == "__main__":
    command(prog_name="python -m benchmarks.alternatives")
