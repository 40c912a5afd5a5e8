"""HTTP on a loopback port: requests, responses, and the server."""
