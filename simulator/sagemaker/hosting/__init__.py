"""Models, endpoint configurations and endpoints, and their lives."""
