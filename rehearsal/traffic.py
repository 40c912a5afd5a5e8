"""People who ask the deployed app all the time, and count what they get: who answered, and every failure."""

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
KEPT_FAILURES = 5
_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}


@dataclass
class Tally:
    """What was asked and answered: answers by the variant and by the release of the app that gave them."""

    requests: int = 0
    failed: int = 0
    variants: Counter[str] = field(default_factory=Counter)
    releases: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)  # the first few, in words

    def count(self, status: int, body: bytes) -> None:
        """Count an answer, status 0 for none at all: anything but a label and a score is a failure."""
        self.requests += 1
        try:
            told = json.loads(body)
        except ValueError:
            told = {}
        if status != http.client.OK or told.get("label") not in LABELS or not 0 <= told.get("score", -1) <= 1:
            self.failed += 1
            if len(self.failures) < KEPT_FAILURES:
                self.failures.append(f"{status or 'no answer'}: {body[:300].decode(errors='replace')}")
            return
        self.variants[told["variant"]] += 1
        self.releases[told["release"]] += 1

    def copy(self) -> "Tally":
        """Return what stands here now, which does not change any more."""
        return replace(
            self, variants=Counter(self.variants), releases=Counter(self.releases), failures=[*self.failures]
        )


class Traffic:
    """So many askers, each with a kept connection, from the beginning of a `with` block to its end."""

    def __init__(self, url: str, askers: int) -> None:
        self._url = url.rstrip("/")
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._tally = Tally()
        self._threads = [threading.Thread(target=self._ask, args=(first,)) for first in range(askers)]

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
        with self._lock:
            return self._tally.copy()

    def _ask(self, first: int) -> None:
        """Ask one review after the other, from one of them on, until told to stop."""
        address = urlsplit(self._url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        path = f"{address.path}/predict"
        for number in count(first):
            if self._stop.is_set():
                break
            document = json.dumps({"review": REVIEWS[number % len(REVIEWS)], "explain": False})
            try:
                connection.request("POST", path, document, _HEADERS)
                answer = connection.getresponse()
                status, body = answer.status, answer.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                status, body = 0, f"{type(error).__name__}: {error}".encode()
            with self._lock:
                self._tally.count(status, body)
        connection.close()
