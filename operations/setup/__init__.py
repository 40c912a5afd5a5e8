"""What must be there, and allowed, before anything else."""
