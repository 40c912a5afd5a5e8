"""The `verdict label` command: labelling in the terminal, agreement, and exchange with spreadsheets."""

import getpass
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from unicodedata import category

import click
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from cli import options
from cli.output import print_json
from cli.review_source import FEEDBACK, read_source
from operations.aws.names import DEFAULT_STAGE
from training.data.content import is_compressed, uncompressed_name
from training.data.hand_labels import ORDERS, HandLabel, Label, LabelsFile, Order, open_labels, read_labels
from training.data.review_rows import ReviewRow, without_repetitions
from training.data.reviews import DataError
from training.labelling.agreement import Agreement, compare_labels
from training.labelling.order import MEANINGS, in_order
from training.labelling.session import Session, utc_now
from training.labelling.spreadsheet import labels_to_append, read_spreadsheet, write_differences, write_spreadsheet
from training.progress import table

KEYS: dict[str, Label] = {"p": "positive", "n": "negative", "m": "mixed", "x": "not a review", "s": "skipped"}
LEGEND = "[p]ositive [n]egative [m]ixed [x] not a review [s]kip [u]ndo n[o]te [q]uit"
SHOWN_DIFFERENCES = 20
_QUIT = ("q", "\x04", "\x1a", "")  # also Ctrl-D, Ctrl-Z on Windows, and the end of a redirected input
_REPLACEMENT = "\ufffd"
_FILE = click.Path(dir_okay=False, path_type=Path)
_EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(name="label")
@click.argument("source", metavar="FILE|feedback", required=False)
@click.option("--into", type=_FILE, help="File of labels.  [default: FILE's name, ending in .labels.jsonl]")
@click.option(
    "--order",
    type=click.Choice(ORDERS),
    default="random",
    show_default=True,
    help="Which reviews to label first. Only a random order gives an unbiased estimate.",
)
@click.option("--labeller", metavar="NAME", help="Your name in the labels.  [default: your login name]")
@options.review_column_option
@click.option("--compare", type=_EXISTING, nargs=2, metavar="A B", help="Compare two files of labels.")
@click.option(
    "--export", "export_path", type=_FILE, help="Write a CSV file to label in a spreadsheet, or the differences."
)
@click.option("--import", "import_path", type=_EXISTING, help="Add the labels of a CSV file that --export wrote.")
@options.stage_option
@options.json_option
def command(
    source: str | None,
    into: Path | None,
    order: Order,
    labeller: str | None,
    review_column: str | None,
    compare: tuple[Path, Path] | None,
    export_path: Path | None,
    import_path: Path | None,
    stage: str,
    as_json: bool,
) -> None:
    """Label reviews by hand in the terminal, or compare the labels of two people.

    FILE is a .csv, .tsv, .jsonl or .txt file, also with .gz, with a column of reviews, such as an export of feedback;
    `feedback` reads the --stage's table itself. Each review takes one key, and the verdict is shown only after the
    answer. Every label is saved at once; repeat the command to resume.

    --order least-sure begins with the scores next to 50%, and disagreements has the verdicts that users corrected.
    --compare prints Cohen's kappa and the reviews on which two files of labels differ; with --export, it also writes
    them as CSV.
    """
    if compare:
        options.refuse("cannot be used with --compare.", "source", "import_path")
        _compare(compare, export_path, as_json)
        return
    if not source:
        raise click.UsageError("Name a file of reviews, or two files of labels with --compare.")
    options.refuse("needs --compare.", "as_json")
    if export_path and import_path:
        raise click.UsageError("Use only one of --export and --import.")
    work = _Work(source, into or default_path(source), order, labeller or _login_name(), review_column, stage)
    if export_path:
        _export(work, export_path)
    elif import_path:
        _import(work, import_path)
    else:
        _label(work)


@dataclass
class _Work:
    """The reviews to label, and where their labels go."""

    source: str
    path: Path  # of the labels
    order: Order
    labeller: str
    review_column: str | None
    stage: str = DEFAULT_STAGE
    console: Console = field(default_factory=lambda: Console(stderr=True))

    def note(self, sentence: str) -> None:
        """Print a sentence."""
        self.console.print(sentence, soft_wrap=True, markup=False, highlight=False)

    @cached_property
    def all_rows(self) -> list[ReviewRow]:
        """All reviews of the source."""
        return without_repetitions(self.source, self._read(), self.note)

    def _read(self) -> list[ReviewRow]:
        return read_source(self.source, self.review_column, self.note, self.stage)

    @cached_property
    def rows(self) -> list[ReviewRow]:
        """The reviews to label, in their order."""
        return in_order(self.all_rows, self.order, partial(_packaged_scores, self.console))

    @contextmanager
    def open_labels(self) -> Iterator[LabelsFile]:
        """Open the file of labels; raises `DataError` if it has labels, but none of a review of the source."""
        with open_labels(self.path, self.note) as file:
            known = {row.id for row in self.all_rows}
            if file.labels and not any(label.id in known for label in file.labels):
                raise DataError(
                    f"None of the {len(file.labels):,} labels in {self.path} is of a review in {self.source}. Choose "
                    "another file with --into."
                )
            yield file


def _login_name() -> str:
    """Return the user's login name; raises `click.UsageError` if the system has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError) as error:
        raise click.UsageError("Your login name is unknown. Name yourself with --labeller.") from error


def default_path(source: str) -> Path:
    """Return the file of labels beside a source: `reviews.csv` or `reviews.csv.gz` -> `reviews.labels.jsonl`."""
    if source == FEEDBACK:
        return Path(f"{FEEDBACK}.labels.jsonl")
    path = Path(source)
    return path.with_name(uncompressed_name(path)).with_suffix(".labels.jsonl")


def _packaged_scores(console: Console, texts: Sequence[str]) -> Sequence[float]:
    """Score texts with the packaged model."""
    from training.evaluation.packaged_model import load_packaged_model  # xgboost: slow to import

    with console.status(f"Scoring {len(texts):,} reviews"):
        scores: list[float] = load_packaged_model().score(texts).tolist()
    return scores


def _check_export(path: Path) -> None:
    """Raise `DataError` if a file exists: it could hold labels that are not imported yet; or if it is compressed."""
    if is_compressed(path):
        raise DataError(f"{path} is written for a spreadsheet, without compression. Leave .gz out of its name.")
    if path.exists():
        raise DataError(f"{path} exists already. Choose another name, or delete it.")


def _other_orders(count: int, order: Order) -> str:
    """Return a sentence about labels that were given in another order."""
    sentence = f"{count:,} labels in this file were given in another order."
    if order != "random":
        return sentence
    return f"{sentence} The rest is not a random sample: for an unbiased estimate, start a new file with --into."


def _label(work: _Work) -> None:
    """Label in the terminal; exits with the status of an interrupted program after Ctrl-C."""
    rows = work.rows  # fails before a file is created
    with work.open_labels() as file:
        if other := sum(label.order != work.order for label in file.labels):
            work.note(_other_orders(other, work.order))
        session = Session(rows, file.labels, file, work.labeller, work.order)
        is_interrupted = label_all(work.console, session, click.getchar)
    _print_end(work, session)
    if is_interrupted:
        raise SystemExit(options.EXIT_INTERRUPTED)


def label_all(console: Console, session: Session, read_key: Callable[[], str]) -> bool:
    """Label reviews until all are labelled or the user quits; returns whether Ctrl-C ended it.

    `read_key` returns one pressed key.
    """
    console.print(f"Order: {session.order}: {MEANINGS[session.order]}.", highlight=False)
    try:
        while session.current:
            _show(console, session)
            if not _handle(console, session, _key(read_key)):
                return False
    except KeyboardInterrupt:
        return True
    return False


def _key(read_key: Callable[[], str]) -> str:
    """Return one pressed key in lower case; "q" at the end of a redirected input."""
    try:
        return read_key().lower()
    except EOFError:
        return "q"


def _handle(console: Console, session: Session, key: str) -> bool:
    """Do what a key stands for; returns False to quit."""
    if key in _QUIT:
        return False
    if key in KEYS:
        given = session.answer(KEYS[key])
        if given:
            console.print(f"{given.label}.{verdict_of(given)}", style="bold", markup=False, highlight=False)
    elif key == "u":
        undone = session.undo()
        text = f"Undone: {undone.label}." if undone else "There is nothing to undo in this session."
        console.print(text, markup=False, highlight=False)
    elif key == "o":
        _read_note(session)
    else:
        console.print(f"The keys are: {LEGEND}", markup=False, highlight=False)
    return True


def _read_note(session: Session) -> None:
    """Read a note from the terminal; Ctrl-C leaves it as it was."""
    try:
        session.set_note(click.prompt("Note", default=session.note, show_default=bool(session.note), err=True))
    except click.Abort:
        click.echo(err=True)


def verdict_of(label: HandLabel) -> str:
    """Return a sentence about the verdict on a labelled review, to show after the answer; empty if it is unknown."""
    score = "" if label.score is None else f" ({label.score:.0%} likely to be positive)"
    corrected = f" A user corrected it to {label.correction}." if label.correction else ""
    return f" The verdict was {label.verdict}{score}.{corrected}" if label.verdict else ""


def _show(console: Console, session: Session) -> None:
    """Print the current review, the progress and the keys."""
    if session.current:
        console.rule(style="dim")
        console.print(Text(printable(session.current.text)))
        console.print()
    if session.note:
        console.print(f"Note: {printable(session.note)}", markup=False, highlight=False)
    console.print(f"{progress_line(session)}\n{LEGEND}", style="dim", markup=False, highlight=False)


def printable(text: str) -> str:
    """Return a text without control characters, which could change the terminal; line breaks and tabs are kept."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(_REPLACEMENT if category(each) == "Cc" and each not in "\n\t" else each for each in lines)


def progress_line(session: Session) -> str:
    """Return the progress: `12 of 200: 7 positive, 4 negative, 1 skipped`."""
    progress = session.progress
    counts = ", ".join(f"{count:,} {label}" for label, count in progress.counts.items() if count)
    return f"{progress.done:,} of {progress.total:,}" + (f": {counts}" if counts else "")


def _print_end(work: _Work, session: Session) -> None:
    """Print the progress and the file."""
    end = "Repeat the command to resume." if session.current else "All reviews are labelled."
    work.note(f"\n{progress_line(session)}. Saved in {work.path}. {end}")
    absent = [name for name in ("positive", "negative") if not session.progress.counts[name]]
    if absent and not session.current:
        work.note(f"No review is labelled {' or '.join(absent)}: an accuracy needs both.")


def _export(work: _Work, path: Path) -> None:
    """Write a spreadsheet with the labels so far."""
    _check_export(path)
    write_spreadsheet(path, work.rows, read_labels(work.path, work.note) if work.path.exists() else [])
    work.note(f"{len(work.rows):,} reviews written to {path}.")


def _import(work: _Work, path: Path) -> None:
    """Append the labels of a spreadsheet that are new or changed."""
    imported = read_spreadsheet(path)
    rows = work.all_rows
    with work.open_labels() as file:
        new = labels_to_append(path.name, imported, rows, file.labels, work.labeller, utc_now(), work.order)
        for label in new:
            file.append(label)
    work.note(f"{len(imported):,} labels read from {path}; {len(new):,} new or changed ones added to {work.path}.")


def _compare(paths: tuple[Path, Path], export: Path | None, as_json: bool) -> None:
    """Print how far two files of labels agree."""
    console = Console(stderr=True)
    if export:
        _check_export(export)
    first, second = (read_labels(path, partial(console.print, markup=False, highlight=False)) for path in paths)
    agreement = compare_labels(first, second)
    if as_json:
        print_json(agreement)
    else:
        _print_agreement(console, agreement, paths)
    if export:
        write_differences(export, agreement.differences, agreement.labellers)
        console.print(f"{len(agreement.differences):,} differences written to {export}.", soft_wrap=True, markup=False)


def _print_agreement(console: Console, agreement: Agreement, paths: tuple[Path, Path]) -> None:
    """Print the judgement, and the first differences."""
    for path, names in zip(paths, agreement.labellers, strict=True):
        console.print(f"{path}: labels by {names}", soft_wrap=True, markup=False, highlight=False)
    console.print(agreement.judgement, soft_wrap=True, markup=False, highlight=False)
    shown = agreement.differences[:SHOWN_DIFFERENCES]
    if shown:
        rows = [(escape(printable(_beginning(each.review))), each.first, each.second) for each in shown]
        console.print(
            table(f"Differences: {len(shown)} of {len(agreement.differences)}", rows, ("review", "first", "second"))
        )


def _beginning(text: str) -> str:
    """Return the beginning of a review, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= 100 else f"{line[:99]}…"
