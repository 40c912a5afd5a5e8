"""Feedback on AWS: the table of a stage, its records, and the settings of the app that collects them."""
