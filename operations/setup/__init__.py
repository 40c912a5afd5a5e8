"""Setup checks, permissions and quotas."""
