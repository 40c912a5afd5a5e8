"""A simulated AWS on this machine: SageMaker with real xgboost, and moto for the rest."""
