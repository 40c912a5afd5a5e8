"""Lines of the log: one JSON object each on standard output, where Lambda and `chalice local` collect it."""

import json
import sys
from collections.abc import Mapping


def write_line(fields: Mapping[str, object]) -> None:
    """Write a line, without delay."""
    sys.stdout.write(json.dumps(fields, separators=(",", ":")) + "\n")
    sys.stdout.flush()
