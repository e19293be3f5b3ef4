"""A table that is published says why a row is empty, and nothing of the machine that made it."""

import pytest

from metric.core.evaluation.reasons import plain


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("its weights are not on this machine yet", "its weights are not on this machine yet"),
        ("it failed on a picture (ValueError: bad /home/ann/x.png)", "it failed on a picture"),
        ("it cannot be loaded (OSError: [Errno 2] No such file: '/root/w.pth')", "it cannot be loaded"),
        (
            "https://download.example.org/vgg16-397923af.pth cannot be fetched (<urlopen error>)",
            "its host cannot be fetched (<urlopen error>)",
        ),
        (
            "Put torchvision's weights as vgg16.pth into /home/ann/.cache/closer/weights",
            "Put torchvision's weights as vgg16.pth into weights",
        ),
        ("~/.cache/closer/alex.pth cannot be read", "alex.pth cannot be read"),
        ("it needs at least 161 pixels a side, the images are 96x80", None),
        ("log-loss in nats/vote", None),
        ("RuntimeError: /a/b", "b"),
    ],
)
def test_only_words_remain(reason: str, words: str | None) -> None:
    assert plain(reason) == (reason if words is None else words)
