"""The anchor of a sweep is named as its rows are, however it was given."""

import argparse

import pytest

from codecs_zoo.contract import CodecError
from codecs_zoo.sweep.command import anchor_name


@pytest.mark.parametrize(
    ("anchor", "choose_by", "name"),
    [
        ("jpeg", None, "jpeg"),
        ("avif@grain=fixed,tune=ssim", None, "avif@tune=ssim,grain=fixed"),
        ("avif@tune=iq", None, "avif"),
        ("avif", "psnr", "avif@choose-by=psnr"),
        ("jpeg", "psnr", "jpeg"),
    ],
)
def test_options_stand_in_the_codecs_order_and_choosing_is_part_of_the_name(
    anchor: str, choose_by: str | None, name: str
) -> None:
    assert anchor_name(argparse.Namespace(anchor=anchor, choose_by=choose_by)) == name


def test_an_anchor_that_is_no_codec_is_refused() -> None:
    with pytest.raises(KeyError, match="There is no codec named 'nosuch'"):
        anchor_name(argparse.Namespace(anchor="nosuch", choose_by=None))
    with pytest.raises(CodecError, match="no option effort"):
        anchor_name(argparse.Namespace(anchor="jpeg@effort=1", choose_by=None))
