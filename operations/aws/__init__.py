"""Shared parts of the AWS commands: account, errors, names, prices, plans, bucket, role, and waiting."""
