"""Training failures of the XGBoost container, and the FailureReason that SageMaker derives from them.

The container writes every failure as `framework error`, a traceback and the message, and SageMaker prefixes it with
`AlgorithmError`, in all images since 0.90. The frames between the first and the last are omitted here.
"""

_ENTRY = '  File "/miniconda3/lib/python3.10/site-packages/sagemaker_containers/_trainer.py", line 84, in train'
LONGEST_REASON = 1024  # characters of a FailureReason, in the service model


_TOOLKIT_KINDS = ("UserError", "AlgorithmError", "PlatformError")


class TrainingFailedError(Exception):
    """The container failed; `kind` is its class of the error, of the container's toolkit or of Python."""

    def __init__(self, message: str, kind: str = "UserError") -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind

    @property
    def reason(self) -> str:
        """The FailureReason of DescribeTrainingJob."""
        module = "sagemaker_algorithm_toolkit.exceptions." if self.kind in _TOOLKIT_KINDS else ""
        error = f"{module}{self.kind}: {self.message}"
        trace = f"Traceback (most recent call last):\n{_ENTRY}\n    entrypoint()\n{error}\n"
        return f"AlgorithmError: framework error: \n{trace}\n{self.message}, exit code: 1"[:LONGEST_REASON]


def algorithm_error(message: str) -> TrainingFailedError:
    """Return an error that the container does not attribute to the user."""
    return TrainingFailedError(message, "AlgorithmError")
