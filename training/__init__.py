"""Builds the vocabulary and the model that the app ships, and runs a SageMaker endpoint on this machine."""
