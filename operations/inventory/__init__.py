"""What exists on AWS because of this project, what it costs, and how each thing is deleted."""
