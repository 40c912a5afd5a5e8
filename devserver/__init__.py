"""The development server: the app and a local model endpoint."""
