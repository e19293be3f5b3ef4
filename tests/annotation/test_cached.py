"""What is worked out once and kept."""

from annotation.cached import cached


def test_it_is_made_once() -> None:
    made: list[int] = []

    def make() -> int:
        made.append(len(made))
        return made[-1]

    assert [cached("made-once", make, 60) for _ in range(2)] == [0, 0]
    assert len(made) == 1
