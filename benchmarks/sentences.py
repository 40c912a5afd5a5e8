"""The accuracy of the packaged release on the authors' sentences.

`python -m benchmarks.sentences` prints the accuracy by kind of sentence, the share of minimal pairs with both answers
correct, and every mistake.
"""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from training.data.authored_sentences import load_sentences
from training.evaluation.packaged_model import load_packaged_model
from training.evaluation.sentence_counts import Scored, count_answers, count_pairs, groups_by_kind, is_correct, split


def table_row(name: str, scored: Sequence[Scored], band: tuple[float, float]) -> list[str]:
    """Format the figures of a group of sentences; a figure that it doesn't have is an empty cell."""
    counts, pairs = count_answers(*split(scored), band), count_pairs(*split(scored))
    expected = count_answers(*split([each for each in scored if each[0].bag_of_words]), band)
    shares = (
        counts.accuracy,
        expected.accuracy if expected.answers else None,
        pairs.accuracy if pairs.pairs else None,
        counts.sure / counts.answers,
        counts.sure_accuracy,
    )
    return [name, str(counts.answers), *("" if share is None else f"{share * 100:.1f}" for share in shares)]


def report(console: Console) -> None:
    """Print the accuracy of the packaged release on the sentences, and its mistakes."""
    model, sentences = load_packaged_model(), load_sentences()
    packaged = model.release
    probabilities = model.score([sentence.text for sentence in sentences]).tolist()
    scored = list(zip(sentences, probabilities, strict=True))
    unpaired, paired = ([e for e in scored if (e[0].pair is not None) is pair] for pair in (False, True))
    table = Table(title=f"Release {packaged.release_id}: accuracy on the authors' sentences, %", title_justify="left")
    for heading in ("kind", "sentences", "all", "within reach", "both of a pair", "coverage", "precision"):
        table.add_column(heading, justify="left" if heading == "kind" else "right")
    for name, group in ({"all but pairs": unpaired, "all pairs": paired} | groups_by_kind(scored)).items():
        table.add_row(*table_row(name, group, packaged.facts.not_sure_band))
    console.print(table)
    for sentence, p in scored:
        if not is_correct(sentence, p):
            console.print(f"{p:.2f}  {sentence.label}  {sentence.text}  [dim]{sentence.kind}. {sentence.reason}[/]")


if __name__ == "__main__":
    report(Console(highlight=False))
