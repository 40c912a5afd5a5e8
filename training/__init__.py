"""Labelled reviews to a packaged release."""
