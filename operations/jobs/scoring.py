"""Who is asked about rows in `evaluate --on batch|endpoint`, and that it answers as the run's model does here."""

from collections.abc import Sequence

from operations.aws.command import Aws
from operations.endpoint.candidate import load_candidate
from operations.jobs import batch_transform, endpoint_scorer
from operations.jobs.agreement import agreeing
from training.evaluation.predictions import Floats, Predict
from training.evaluation.predictions import predictor as local_predictor


def predictor(aws: Aws, on: str, name: str, instance_type: str, variant: str, stage: str, yes: bool) -> Predict:
    """Make the `Predict` of a run's model in a batch transform, or behind a stage's endpoint."""
    chosen = load_candidate(name)

    def there(rows: Sequence[str]) -> Floats:
        if on == "batch":
            return batch_transform.score_in_batch(aws, stage, chosen, rows, instance_type, yes)
        return endpoint_scorer.score_live(aws, stage, chosen, variant, rows, yes)

    return agreeing(there, local_predictor(chosen.model, chosen.encoder.columns), aws.say)
