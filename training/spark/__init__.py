"""Preparation and prediction on Apache Spark, for reviews that outgrow one machine."""
