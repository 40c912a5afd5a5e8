"""Rehearsal of an endpoint's whole lifecycle on the simulated AWS, under simulated traffic."""
