"""Features of labelled reviews: vocabulary, n-gram weights and training channels."""
