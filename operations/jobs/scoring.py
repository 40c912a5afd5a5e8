"""Who is asked about rows in `evaluate --on batch|endpoint`, and that it answers as the run's model does here."""

from collections.abc import Sequence

from operations.aws.command import Aws
from operations.endpoint.candidate import candidate
from operations.jobs import batch, live
from operations.jobs.agreement import agreeing
from training.evaluation.predictions import Floats, Predict
from training.evaluation.predictions import predictor as local_predictor


def predictor(aws: Aws, on: str, name: str, instance_type: str, variant: str, stage: str, yes: bool) -> Predict:
    """Make the `Predict` of a run's model in a batch transform, or behind a stage's endpoint."""
    chosen = candidate(name)

    def there(rows: Sequence[str]) -> Floats:
        if on == "batch":
            return batch.score_in_batch(aws, stage, chosen, rows, instance_type, yes)
        return live.score_live(aws, stage, chosen, variant, rows, yes)

    return agreeing(there, local_predictor(chosen.model, chosen.encoder.columns), aws.say)
