"""People who ask the deployed app all the time, and count what they get: who answered, and every failure."""

import http.client
import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

REVIEWS = (
    "One of the best films I have ever seen",
    "the plot is dull and every scene was a waste of time",
    "the cast is superb. that ending felt so moving.",
    "this movie is not good at all",
)
LABELS = ("positive", "negative", "not sure")
KEPT_FAILURES = 5


@dataclass
class Tally:
    """What was asked and answered: answers by the variant and by the release of the app that gave them."""

    requests: int = 0
    failed: int = 0
    variants: Counter[str] = field(default_factory=Counter)
    releases: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)  # the first few, in words

    def add(self, other: "Tally") -> None:
        """Add another tally to this one."""
        self.requests += other.requests
        self.failed += other.failed
        self.variants += other.variants
        self.releases += other.releases
        self.failures = (self.failures + other.failures)[:KEPT_FAILURES]


class Traffic:
    """So many askers, each with a kept connection, from the beginning of a `with` block to its end."""

    def __init__(self, url: str, askers: int) -> None:
        self._url = url.rstrip("/")
        self._stop = threading.Event()
        self._tallies = [Tally() for _ in range(askers)]
        self._threads = [threading.Thread(target=self._ask, args=(tally,)) for tally in self._tallies]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Let everybody finish the request they are at."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    @property
    def tally(self) -> Tally:
        """What all of them have seen so far."""
        total = Tally()
        for tally in self._tallies:
            total.add(tally)
        return total

    def _ask(self, tally: Tally) -> None:
        """Ask until told to stop."""
        address = urlsplit(self._url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        path = f"{address.path}/predict"
        while not self._stop.is_set():
            review = REVIEWS[tally.requests % len(REVIEWS)]
            tally.requests += 1
            try:
                connection.request("POST", path, json.dumps({"review": review, "explain": False}), _HEADERS)
                answer = connection.getresponse()
                _count(tally, answer.status, answer.read())
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                _fail(tally, f"{type(error).__name__}: {error}")
        connection.close()


_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}


def _count(tally: Tally, status: int, body: bytes) -> None:
    """Count an answer: anything but a label and a score is a failure."""
    try:
        told = json.loads(body)
    except ValueError:
        told = {}
    if status != http.client.OK or told.get("label") not in LABELS or not 0 <= told.get("score", -1) <= 1:
        _fail(tally, f"{status}: {body[:300].decode(errors='replace')}")
        return
    tally.variants[told["variant"]] += 1
    tally.releases[told["release"]] += 1


def _fail(tally: Tally, what: str) -> None:
    tally.failed += 1
    if len(tally.failures) < KEPT_FAILURES:
        tally.failures.append(what)
