"""Simulated traffic: clients that send reviews to the deployed app continuously, and count responses and failures."""

import http.client
import json
import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Self
from urllib.parse import urlsplit

REVIEWS = (
    "One of the best films I have ever seen",
    "the plot is dull and every scene was a waste of time",
    "the cast is superb. that ending felt so moving.",
    "this movie is not good at all",
)
LABELS = ("positive", "negative", "not sure")
MAX_FAILURE_MESSAGES = 5
_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}


@dataclass
class TrafficCounts:
    """Counts of requests and failures, and of responses by model variant and by release."""

    requests: int = 0
    failed: int = 0
    variants: Counter[str] = field(default_factory=Counter)
    releases: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)  # messages of the first few

    def count(self, status: int, body: bytes) -> None:
        """Count a response (status 0 for none); it is a failure unless it has a valid label and score."""
        self.requests += 1
        try:
            prediction = json.loads(body)
        except ValueError:
            prediction = {}
        if (
            status != http.client.OK
            or prediction.get("label") not in LABELS
            or not 0 <= prediction.get("score", -1) <= 1
        ):
            self.failed += 1
            if len(self.failures) < MAX_FAILURE_MESSAGES:
                self.failures.append(f"{status or 'no response'}: {body[:300].decode(errors='replace')}")
            return
        self.variants[prediction["variant"]] += 1
        self.releases[prediction["release"]] += 1

    def copy(self) -> "TrafficCounts":
        """Return a copy that later requests do not change."""
        return replace(
            self, variants=Counter(self.variants), releases=Counter(self.releases), failures=[*self.failures]
        )


class SimulatedTraffic:
    """Clients that send requests for the duration of a `with` block, each on a kept-alive connection."""

    def __init__(self, url: str, clients: int) -> None:
        self._url = url.rstrip("/")
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._counts = TrafficCounts()
        self._threads = [threading.Thread(target=self._send, args=(first,)) for first in range(clients)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop the clients after their current requests."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    @property
    def counts(self) -> TrafficCounts:
        """The counts of all clients so far."""
        with self._lock:
            return self._counts.copy()

    def _send(self, first: int) -> None:
        """Send the reviews in turn, starting with number `first`, until stopped."""
        address = urlsplit(self._url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        path = f"{address.path}/predict"
        for number in count(first):
            if self._stop.is_set():
                break
            document = json.dumps({"review": REVIEWS[number % len(REVIEWS)], "explain": False})
            try:
                connection.request("POST", path, document, _HEADERS)
                response = connection.getresponse()
                status, body = response.status, response.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                status, body = 0, f"{type(error).__name__}: {error}".encode()
            with self._lock:
                self._counts.count(status, body)
        connection.close()
