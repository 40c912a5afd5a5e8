"""The check of a model on newly labelled reviews."""
