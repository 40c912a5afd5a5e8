"""SageMaker jobs for training, tuning and batch scoring, and scoring by a deployed endpoint."""
