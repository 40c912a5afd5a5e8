"""Model training, cross-validation and run folders."""
