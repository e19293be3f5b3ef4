"""Simulated annotators who judge over HTTP, like a browser: they see only what the endpoints give them."""

import http.client
import json
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from annotation.core.simulation import (
    SimulatedAnnotator,
    choose,
    hidden_distance,
    make_annotator,
    response_ms,
)
from imaging.pixels import pixels_sha256
from imaging.png import decode_png

SLOTS = ("left", "original", "right")


class Site:
    """One keep-alive connection to Closer's endpoints."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "localhost", parts.port, timeout=60)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        """The status and body of one request; connects again once if the server closed the connection."""
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        try:
            return self._send(method, path, data, headers)
        except (http.client.HTTPException, OSError):
            self._connection.close()
            return self._send(method, path, data, headers)

    def _send(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        self._connection.request(method, path, data, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def json(
        self, method: str, path: str, body: Any = None, *, expect: tuple[int, ...], **headers: str
    ) -> Any:
        """The JSON of one request. Raises RuntimeError with the server's words for any other status."""
        status, content = self.call(method, path, body, **headers)
        if status not in expect:
            raise RuntimeError(f"{method} {path} answered {status}: {content[:500].decode(errors='replace')}")
        return json.loads(content)


class Eyes:
    """Hidden distances, computed once for each pair of pictures whoever looks at it."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def distance(self, original: bytes, reconstruction: bytes) -> float:
        """The hidden distance between two PNG files, whose bytes differ from view to view."""
        pictures = decode_png(original), decode_png(reconstruction)
        key = (pixels_sha256(pictures[0]), pixels_sha256(pictures[1]))
        if key not in self._known:
            distance = hidden_distance(*pictures)
            with self._lock:
                self._known[key] = distance
        return self._known[key]


class Quota:
    """How many judgments are still wanted from all annotators together."""

    def __init__(self, target: int) -> None:
        self._left, self.given = target, 0
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Whether one more may be given; it is then spoken for."""
        with self._lock:
            self._left -= 1
            return self._left >= 0

    def give_back(self) -> None:
        """One that was taken is not given after all."""
        with self._lock:
            self._left += 1

    def count(self) -> None:
        """One was recorded."""
        with self._lock:
            self.given += 1


def judge_all(
    url: str,
    study_key: str,
    token: str,
    *,
    target: int,
    annotators: int,
    at_once: int,
    progress: Callable[[int], object],
) -> int:
    """`target` judgments by simulated annotators, `at_once` of them at a time; returns how many were recorded.

    `token` is a researcher's: nobody else may send programs to a study.
    """
    eyes, quota = Eyes(), Quota(target)
    sit = partial(_sit, url, study_key, token, eyes, quota)
    with ThreadPoolExecutor(at_once) as pool:
        sessions = [pool.submit(sit, make_annotator(seed)) for seed in range(annotators)]
        while not all(session.done() for session in sessions):
            progress(quota.given)
            time.sleep(0.25)
        for session in sessions:
            session.result()  # raises what went wrong in it
    progress(quota.given)
    return quota.given


def _sit(
    url: str, study_key: str, token: str, eyes: Eyes, quota: Quota, annotator: SimulatedAnnotator
) -> None:
    """One annotator's whole session."""
    site = Site(url)
    requested = {"study": study_key, "simulated": True, "screen": {"width": 1920, "height": 1080, "dpr": 1}}
    researcher = {"Authorization": f"Token {token}"}
    session = site.json("POST", "/api/v1/sessions/", requested, expect=(201,), **researcher)
    while quota.take():
        offered = _next(site, session["key"])
        if offered is None:
            quota.give_back()
            return
        _answer(site, session, offered, eyes, annotator)
        quota.count()


def _next(site: Site, key: str) -> dict[str, Any] | None:
    """The next pair; waits while all are in other hands; None when there is none left."""
    for _ in range(60):
        offered = site.json("POST", f"/api/v1/sessions/{key}/next/", {"holding": []}, expect=(200,))
        if offered["status"] == "pair":
            pair: dict[str, Any] = offered["assignment"]
            return pair
        if offered["status"] != "nothing_free":
            return None
        time.sleep(0.5)
    return None


def _answer(
    site: Site, session: dict[str, Any], pair: dict[str, Any], eyes: Eyes, annotator: SimulatedAnnotator
) -> None:
    images = {}
    for slot in SLOTS:
        status, images[slot] = site.call("GET", pair["images"][slot])
        if status != 200:
            raise RuntimeError(f"GET {pair['images'][slot]} answered {status}")
    left = eyes.distance(images["original"], images["left"])
    right = eyes.distance(images["original"], images["right"])
    trial = pair["position"]
    output = choose(annotator, left, right, trial=trial, allow_tie=session["study"]["allow_ties"])
    shortest = float(session["study"]["min_view_ms"])
    looked = response_ms(annotator, trial=trial, shortest=shortest)
    site.json(
        "PUT",
        f"/api/v1/judgments/{uuid.uuid4()}/",
        {"assignment": pair["id"], "answer": output, "timing": _timing(trial, looked, pair)},
        expect=(201,),
        **{"X-Closer-Session": session["key"]},
    )


def _timing(trial: int, looked: float, pair: dict[str, Any]) -> dict[str, Any]:
    """An invented record in the browser's form: the whole judgment is marked simulated."""
    onset = 10_000.0 * trial
    return {
        "time_origin": time.time() * 1000,
        "onset": onset,
        "first_input": onset + looked,
        "answer": onset + looked,
        "frame_ms": None,
        "images": [{"slot": slot, "fetch_ms": 0.0, "decode_ms": 0.0} for slot in SLOTS],
        "events": [],
        "input": "keyboard",
        "viewport": [1920, 1080],
        "dpr": 1.0,
        "displayed": [pair["width"], pair["height"]],
        "screen": [1920, 1080],
    }
