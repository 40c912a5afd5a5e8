"""Rehearsal of an endpoint's whole life on the simulator."""
