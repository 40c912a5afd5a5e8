"""Models, endpoint configurations and endpoints."""
