"""What `chalice deploy` deployed, running: an API Gateway, and Lambda functions in the real runtime client."""
