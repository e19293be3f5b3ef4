"""Writers of the embedded database stand in one line: nobody is overtaken, and nobody waits for themselves."""

import threading
import time

from annotation.turns import Line


def run(*threads: threading.Thread) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert not any(thread.is_alive() for thread in threads)


def test_the_first_to_come_is_the_first_served() -> None:
    line, served, request = Line(), [], []

    def wait(number: int) -> None:
        request.append(number)
        line.enter()
        served.append(number)
        time.sleep(0.002)
        line.leave()

    line.enter()
    threads = [threading.Thread(target=wait, args=(number,)) for number in range(20)]
    for number, thread in enumerate(threads, start=1):
        thread.start()
        while len(line._waiting) < number:
            time.sleep(0.001)
    line.leave()
    for thread in threads:
        thread.join(5)
    assert served == request == list(range(20))


def test_one_at_a_time_and_none_forgotten() -> None:
    line, inside, seen = Line(), [0], []

    def work() -> None:
        for _ in range(50):
            line.enter()
            inside[0] += 1
            seen.append(inside[0])
            inside[0] -= 1
            line.leave()

    run(*(threading.Thread(target=work) for _ in range(8)))
    assert seen == [1] * 400


def test_whoever_has_it_may_take_it_again() -> None:
    line = Line()
    line.enter()
    line.enter()
    line.leave()
    entered: list[bool] = []
    other = threading.Thread(target=lambda: (line.enter(), entered.append(True), line.leave()))
    other.start()
    time.sleep(0.02)
    assert not entered  # it is held once still
    line.leave()
    other.join(5)
    assert entered == [True]
