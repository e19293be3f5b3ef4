"""Simulated annotators who do as the judging page does: an answer is sent again until the server has responded."""

from __future__ import annotations

import http.client
import json
import math
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from benchmarks._scratch_rows import timing

PAUSE = 0.2
GIVE_UP_AFTER = 600.0
# At every pair of this number somebody leaves without answering, and somebody new comes.
LEAVES_AT = 50
# What the server says once and for all of an answer: its lease ran out, or its session was ended.
REFUSED = {404, 409, 410}
# What it says of a request that may be sent again.
LATER = {408, 429}


@dataclass
class Tally:
    """What all annotators together saw.

    Attributes:
        wanted: how many confirmed answers are enough.
        until: when to stop though there are fewer, as `time.monotonic()` counts.
        confirmed: the ids of answers that the server confirmed.
        refused: answers that it refused for good.
        seconds: of each claim and answer that needed no second try.
        longest_silence: the longest time in seconds without a confirmation.
        gave_up: why annotators stopped early.
    """

    wanted: int
    until: float = math.inf
    confirmed: set[uuid.UUID] = field(default_factory=set)
    refused: int = 0
    retries: int = 0
    seconds: list[float] = field(default_factory=list)
    longest_silence: float = 0.0
    gave_up: list[str] = field(default_factory=list)
    _last: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def done(self) -> bool:
        """Whether enough answers are confirmed, or the time is up."""
        return len(self.confirmed) >= self.wanted or time.monotonic() > self.until

    def confirm(self, answer: uuid.UUID) -> None:
        """The server has it."""
        with self._lock:
            self.confirmed.add(answer)
            now = time.monotonic()
            self.longest_silence, self._last = max(self.longest_silence, now - self._last), now


class Person:
    """One annotator: a session, and a connection that is made anew whenever it breaks."""

    def __init__(self, url: str, study: str, token: str, tally: Tally) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or 80)
        self._study, self._token, self._tally = study, token, tally
        self._connection: http.client.HTTPConnection | None = None
        self._tries = 0

    def judge(self) -> None:
        """Judge until the tally is full or nothing is left."""
        session = self._begin()
        while not self._tally.done:
            began, self._tries = time.monotonic(), 0
            claimed = self._insist("POST", f"/api/v1/sessions/{session}/next/", {"holding": []}, {200})[1]
            if claimed["status"] == "nothing_free":
                time.sleep(PAUSE)
                continue
            if claimed["status"] != "pair":
                return
            if claimed["assignment"]["position"] % LEAVES_AT == 0:
                session = self._begin()  # closed the page: the lease must come back by itself
                continue
            self._answer(session, claimed["assignment"]["id"])
            if self._tries == 2:
                self._tally.seconds.append(time.monotonic() - began)

    def _begin(self) -> str:
        requested = {
            "study": self._study,
            "simulated": True,
            "screen": {"width": 1920, "height": 1080, "dpr": 1},
        }
        token = {"Authorization": f"Token {self._token}"}
        key: str = self._insist("POST", "/api/v1/sessions/", requested, {201}, **token)[1]["key"]
        return key

    def _answer(self, session: str, assignment: str) -> None:
        answer = uuid.uuid4()
        output = {"assignment": assignment, "answer": "left", "timing": timing()}
        path = f"/api/v1/judgments/{answer}/"
        status, _ = self._insist("PUT", path, output, {200, 201, *REFUSED}, **{"X-Closer-Session": session})
        if status in REFUSED:
            self._tally.refused += 1
        else:
            self._tally.confirm(answer)

    def _insist(
        self, method: str, path: str, body: Any, expected: set[int], **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """Send the same request until its answer is one of `expected`: what is away comes back."""
        until = time.monotonic() + GIVE_UP_AFTER
        status: int | str = "nothing"
        while time.monotonic() < until:
            self._tries += 1
            try:
                status, content = self._send(method, path, body, headers)
                if status in expected:
                    return status, json.loads(content)
                if 400 <= status < 500 and status not in LATER:
                    raise RuntimeError(
                        f"{method} {path.partition('?')[0]} answered {status}: {content[:300]!r}"
                    )
            except (http.client.HTTPException, OSError, json.JSONDecodeError):
                self._drop()
            self._tally.retries += 1
            time.sleep(PAUSE)
        raise RuntimeError(f"{method} {path.partition('?')[0]} answered {status} for {GIVE_UP_AFTER:g} s")

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(*self._address, timeout=30)
        content = {"Content-Type": "application/json", **headers}
        self._connection.request(method, path, json.dumps(body), content)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
