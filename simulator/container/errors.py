"""How the XGBoost container ends when it cannot train, and what SageMaker makes of it.

The container writes every failure, whoever's fault it is, as `framework error`, a traceback and the message, and
SageMaker puts `AlgorithmError` in front; so it has always been since the image 0.90. The frames of the traceback that
lie between the first and the last are left out here.
"""

_ENTRY = '  File "/miniconda3/lib/python3.10/site-packages/sagemaker_containers/_trainer.py", line 84, in train'
LONGEST_REASON = 1024  # characters of a FailureReason, by the service's model


class TrainingFailedError(Exception):
    """The container gave up; `kind` is its own name for the error."""

    def __init__(self, message: str, kind: str = "UserError") -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind

    @property
    def reason(self) -> str:
        """What DescribeTrainingJob gives as the reason of the failure."""
        error = f"sagemaker_algorithm_toolkit.exceptions.{self.kind}: {self.message}"
        trace = f"Traceback (most recent call last):\n{_ENTRY}\n    entrypoint()\n{error}\n"
        return f"AlgorithmError: framework error: \n{trace}\n{self.message}, exit code: 1"[:LONGEST_REASON]


def algorithm_error(message: str) -> TrainingFailedError:
    """Return the error for what is, by the container's own opinion, not the user's fault."""
    return TrainingFailedError(message, "AlgorithmError")
