"""The data plane of a SageMaker endpoint: InvokeEndpoint."""
