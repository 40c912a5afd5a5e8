"""Apps that `chalice deploy` deployed: API Gateway, and Lambda functions in the real runtime client."""
