"""A model behind an endpoint: candidates, configurations, state, canary, alarms, autoscaling and traffic shifts."""
