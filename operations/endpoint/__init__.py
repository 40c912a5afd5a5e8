"""A model behind an endpoint: what it is made of, and how it is checked, watched and moved."""
