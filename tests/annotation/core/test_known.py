"""Pairs with a known answer: only where the difference cannot be missed."""

import math

from annotation.core.conditions import Condition
from annotation.core.known import CLEAR, FINE, PLAIN, Stimulus, identicals, sentinels, training_pairs


def make_stimulus(codec: str = "jpeg", bpp: float = 1.0, psnr: float = 38.0) -> Stimulus:
    name = f"{codec} {bpp} {psnr}"
    return Stimulus(hash(name) % 1_000_000, Condition(codec, bpp), psnr, name)


ANCHOR = make_stimulus("jpeg", 0.005, 20.0)


def test_a_sentinel_sets_the_best_of_each_codec_against_the_anchor() -> None:
    low, jpeg, webp = make_stimulus(bpp=0.2, psnr=28), make_stimulus(), make_stimulus("webp", psnr=39)
    pairs = sentinels([low, jpeg, webp], [ANCHOR])
    assert [(pair.closer, pair.other) for pair in pairs] == [(jpeg, ANCHOR), (webp, ANCHOR)]


def test_what_is_hardly_better_than_the_anchor_is_no_sentinel() -> None:
    assert sentinels([make_stimulus(psnr=22.9)], [ANCHOR]) == []
    assert sentinels([make_stimulus()], []) == []


def test_a_reconstruction_without_error_is_better_than_any() -> None:
    assert len(sentinels([make_stimulus(psnr=math.inf)], [ANCHOR])) == 1


def test_training_goes_from_plain_to_fine() -> None:
    rates = [make_stimulus(bpp=bpp, psnr=psnr) for bpp, psnr in ((0.2, 28.0), (0.5, 33.0), (1.0, 37.0))]
    pairs = training_pairs(rates, [ANCHOR])
    assert [(pair.ease, pair.closer.condition.level, pair.other.condition.level) for pair in pairs] == [
        (PLAIN, 1.0, 0.005),
        (CLEAR, 1.0, 0.2),
        (FINE, 1.0, 0.5),
    ]


def test_one_bitrate_is_enough_to_train() -> None:
    assert [pair.ease for pair in training_pairs([make_stimulus()], [ANCHOR])] == [PLAIN]


def test_two_bitrates_that_look_alike_teach_nothing() -> None:
    alike = [make_stimulus(bpp=0.9, psnr=37.5), make_stimulus(psnr=38)]
    assert training_pairs(alike, []) == []


def test_neighbours_that_look_alike_are_no_fine_pair() -> None:
    rates = [make_stimulus(bpp=bpp, psnr=psnr) for bpp, psnr in ((0.2, 28.0), (0.9, 37.2), (1.0, 38.0))]
    assert [pair.ease for pair in training_pairs(rates, [])] == [CLEAR]


def test_a_higher_level_may_be_the_worse_one() -> None:
    by_qp = [make_stimulus("mine", qp, psnr) for qp, psnr in ((22, 40.0), (37, 30.0))]
    (pair, clear) = training_pairs(by_qp, [ANCHOR])
    assert (pair.closer, pair.other) == (by_qp[0], ANCHOR)
    assert (clear.closer, clear.other) == (by_qp[0], by_qp[1])


def test_identical_pairs_are_one_for_each_bitrate_and_of_any_codec() -> None:
    codecs = ["jpeg", "webp", "avif"]
    made = [make_stimulus(codec, bpp) for codec in codecs for bpp in (0.2, 1.0)]
    conditions = [one.condition for one in made]
    chosen = [identicals(made, conditions, source=str(number)) for number in range(60)]
    assert all([one.condition.level for one in ones] == [0.2, 1.0] for ones in chosen)
    assert {one.condition.method for ones in chosen for one in ones} == set(codecs)
    assert identicals(made, conditions[::-1], source="7") == chosen[7]
