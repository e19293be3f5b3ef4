"""A setting of a training run is declared once: library, command, API and form know it and refuse the same values."""

from typing import Any

import pytest

from metric.__main__ import main
from metric.core.config import TrainConfig, settings
from metric.forms import CHOICES, TrainingForm
from metric.serializers import TrainConfigSerializer

NUMBERS = [
    (name, value)
    for name, (field, setting) in settings().items()
    if setting.least is not None and setting.most is not None
    for value in (setting.least - 1e-3, setting.most + 1)
    if not setting.several
]
REFUSED = [
    *(
        (name, int(value // 1) if isinstance(settings()[name][0].default, int) else value)
        for name, value in NUMBERS
    ),
    ("strengths", [1e7]),
    ("strengths", []),
    ("nets", ["resnet"]),
    ("kind", "magic"),
    ("terms", ["psnr", "psnr"]),
    ("baselines", ["vif"]),
    ("device", "tpu"),
]


def as_given(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_what_one_refuses_all_refuse(
    name: str, value: Any, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match=name.removesuffix("s")):
        TrainConfig(**{name: as_given(value)})
    if value != [
        "psnr",
        "psnr",
    ]:  # which of several are named twice is for TrainConfig, which the API asks next
        assert not TrainConfigSerializer(data={name: value}).is_valid()
    form = TrainingForm({"nets": ["alex"], "kind": "heads", "device": "auto", "config": "{}"} | {name: value})
    if name in CHOICES and value != ["psnr", "psnr"]:
        assert not form.is_valid()
    flags = settings()[name][1].flags or ("--" + name.replace("_", "-"),)
    words = list(map(str, value)) if isinstance(value, list) else [str(value)]
    try:
        status = main(["train", str(tmp_path), str(tmp_path / "out"), f"{flags[0]}", *words])
    except SystemExit as stop:  # argparse's own refusal
        status = int(stop.code or 0)
    assert status == 2
    assert name.split("_")[0] in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", [name for name, (_, setting) in settings().items() if setting.least is not None]
)
def test_limits_themselves_are_taken(name: str) -> None:
    field, setting = settings()[name]
    for value in (setting.least, setting.most):
        given = (value,) if setting.several else value
        kind = "comp" if name == "processes" else "heads"
        assert getattr(TrainConfig(**{name: given}, kind=kind), name) == given
        assert TrainConfigSerializer(data={name: [value] if isinstance(given, tuple) else value}).is_valid()


def test_the_form_takes_its_words_from_the_declarations() -> None:
    fields = TrainingForm().fields
    for name in CHOICES:
        setting = settings()[name][1]
        assert fields[name].label == setting.label
        if setting.choices:
            assert dict(fields[name].choices) == dict(setting.choices)  # type: ignore[attr-defined]
