"""Deploying, updating, splitting and rolling back releases."""
