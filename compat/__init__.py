"""The steps of the SageMaker tutorial with AWS's own clients on the simulator: `make compat`."""
