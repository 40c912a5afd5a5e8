"""The models, configurations and endpoint that one command created, which are all that it may delete.

Names are derived from content, so a concurrent command uses the same names. SageMaker accepts one of two concurrent
creations and refuses the other; a resource belongs to the command whose request was accepted. Its creation time
distinguishes it from a later one with the same name.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from operations.aws import role
from operations.aws.command import Aws
from operations.aws.errors import AwsError, if_there, is_taken
from operations.endpoint import endpoint_config, endpoint_state, models
from operations.endpoint.candidate import Candidate
from operations.endpoint.endpoint_state import CHANGED_KIND


class CreatedResources:
    """What a command created for the endpoint `name`: name -> creation time."""

    def __init__(self, aws: Aws, name: str) -> None:
        self._aws, self._name = aws, name
        self._sagemaker = aws.account.client("sagemaker")
        self._models: dict[str, datetime] = {}
        self._configurations: dict[str, datetime] = {}
        self._endpoint: datetime | None = None

    @property
    def has_endpoint(self) -> bool:
        """Whether this command created the endpoint."""
        return self._endpoint is not None

    def ensure_model(self, stage: str, candidate: Candidate, isolated: bool) -> str:
        """Create the candidate's model if it does not exist, and return its name."""
        request = models.request(self._aws.account, stage, candidate, isolated)
        models.store(self._aws, candidate)
        name = str(request["ModelName"])
        if models.create(self._aws, request):
            self._models[name] = self._sagemaker.describe_model(ModelName=name)["CreationTime"]
        return name

    def ensure_config(self, request: Mapping[str, Any]) -> str:
        """Create the configuration if it does not exist, and return its name."""
        name = str(request["EndpointConfigName"])
        if endpoint_config.create(self._aws, request):
            described = self._sagemaker.describe_endpoint_config(EndpointConfigName=name)
            self._configurations[name] = described["CreationTime"]
        return name

    def create_endpoint(self, configuration: str, tags: list[dict[str, str]]) -> None:
        """Create the endpoint; raises `AwsError` of kind `CHANGED_KIND` if another command has created it."""
        request = {"EndpointName": self._name, "EndpointConfigName": configuration, "Tags": tags}
        try:
            role.retry_until_propagated(self._aws, lambda: self._sagemaker.create_endpoint(**request))
        except ClientError as error:
            if is_taken(error):
                raise appeared(self._name) from error
            raise
        self._endpoint = self._sagemaker.describe_endpoint(EndpointName=self._name)["CreationTime"]

    def delete_all(self, resume: str) -> None:
        """Delete what this command created; configurations and models are kept while an endpoint `name` exists."""
        if self._endpoint:
            endpoint_state.delete(self._aws, self._name, self._endpoint, resume)
        if if_there(self._sagemaker.describe_endpoint, EndpointName=self._name) is None:
            self.delete_configs_and_models()

    def delete_configs_and_models(self) -> None:
        """Delete the configurations and models that this command created."""
        for name, created in self._configurations.items():
            found = if_there(self._sagemaker.describe_endpoint_config, EndpointConfigName=name)
            if found and found["CreationTime"] == created:
                if_there(self._sagemaker.delete_endpoint_config, EndpointConfigName=name)
        for name, created in self._models.items():
            found = if_there(self._sagemaker.describe_model, ModelName=name)
            if found and found["CreationTime"] == created:
                if_there(self._sagemaker.delete_model, ModelName=name)


def appeared(name: str) -> AwsError:
    """Return the error of a deployment whose endpoint another command created first."""
    return AwsError(
        f"Another command created endpoint {name} at the same time. This one stopped, and deleted nothing. Repeat it "
        "to wait for that endpoint and verify it.",
        CHANGED_KIND,
    )
