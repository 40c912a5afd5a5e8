"""The soak test: many requests to the packaged zip, while faults are switched on and off and processes are killed."""
