"""`verdict simulate`: an AWS on this machine, for rehearsal and tests."""

DEFAULT_PORT = 8002
