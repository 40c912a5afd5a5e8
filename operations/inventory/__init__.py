"""The AWS resources of this project, and their costs."""
