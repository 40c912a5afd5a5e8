"""Comparison of an endpoint's variants on live traffic."""
