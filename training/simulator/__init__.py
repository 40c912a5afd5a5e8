"""A SageMaker endpoint on this machine: the same wire protocol, the packaged model in real xgboost."""
