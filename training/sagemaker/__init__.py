"""The endpoint's life on SageMaker, through boto3 alone: jobs, endpoints, traffic, quotas, cost, teardown."""
