"""A simulated SageMaker: models, endpoints, jobs and model packages behind the real API."""
