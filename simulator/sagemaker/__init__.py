"""SageMaker's control plane on this machine: jobs that train, endpoints that load and answer."""
