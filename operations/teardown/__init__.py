"""Deletion of AWS resources, and verification that nothing billed is left."""
