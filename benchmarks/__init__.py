"""Measurements of Verdict beside the tutorial's Lambda function and the alternatives."""
