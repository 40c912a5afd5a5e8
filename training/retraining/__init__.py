"""A new model from old and new reviews, and the gate before its release."""
