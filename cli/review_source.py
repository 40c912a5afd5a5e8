"""Sources of reviews for `verdict label` and `verdict drift`: a file, or the collected feedback."""

from pathlib import Path

from operations.aws.names import DEFAULT_STAGE
from training.data.labelled import NoteCallback, ignore_note
from training.data.review_rows import ReviewRow, read_review_rows
from training.data.reviews import DataError

FEEDBACK = "feedback"


def read_source(
    name: str, review_column: str | None = None, note: NoteCallback = ignore_note, stage: str = DEFAULT_STAGE
) -> list[ReviewRow]:
    """Read the reviews of a source: the path of a file, or `feedback`, a stage's table.

    Raises `DataError` if there are none, `AwsError` if the table does not exist or cannot be read.
    """
    path = Path(name)
    if path.is_file():
        return read_review_rows(path, review_column, note)
    if name == FEEDBACK:
        return _read_table(stage)
    if path.is_dir():
        raise DataError(f"{path} is a folder. Name a .csv, .tsv, .jsonl or .txt file of reviews.")
    raise DataError(f"There is no file {path}.")


def _read_table(stage: str) -> list[ReviewRow]:
    """Read a stage's table of feedback, the oldest record first."""
    from cli.aws_command import connected
    from operations.aws import names
    from operations.feedback.table import read_feedback  # boto3: slow to import, and only needed here

    with connected(verbose=False) as aws:
        records = sorted(read_feedback(aws, names.feedback_table(stage)), key=lambda record: (record.time, record.id))
    if not records:
        raise DataError(f"The table of feedback of stage {stage} is empty: nothing was collected yet.")
    return [
        ReviewRow(
            record.id,
            record.review,
            record.time,
            record.verdict,
            record.score,
            record.release,
            record.variant or None,
            record.correction or None,
        )
        for record in records
    ]
