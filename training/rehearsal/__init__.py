"""The whole story, rehearsed: an endpoint's life from the first command to the last, on an AWS on this machine."""
