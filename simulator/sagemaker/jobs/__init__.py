"""Training jobs, tuning jobs and transform jobs, which really do what they are for."""
