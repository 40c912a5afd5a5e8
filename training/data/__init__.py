"""Labelled reviews: collection, file formats, splits."""
