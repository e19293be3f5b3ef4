"""What goes over the wire of /api/v1/ about metrics."""

from dataclasses import Field
from typing import Any

from rest_framework import serializers

from annotation.models import Snapshot
from metric.core import codec_tuning
from metric.core.config import settings
from metric.core.setting import Setting
from metric.models import CodecTraining, MetricVersion, TrainingRun


class MetricVersionSerializer(serializers.ModelSerializer[MetricVersion]):
    """A metric version with its evaluation table."""

    snapshot = serializers.CharField(source="run.snapshot", read_only=True)

    class Meta:
        model = MetricVersion
        fields = [
            *("number", "net", "kind", "simulated", "snapshot", "sha256", "evaluation", "created_at"),
            *("promoted", "promoted_at", "promotion_reason"),
        ]


class PromoteSerializer(serializers.Serializer[Any]):
    """Why a version is put into use, or taken out of it."""

    reason = serializers.CharField(max_length=300)


class TrainingRunSerializer(serializers.ModelSerializer[TrainingRun]):
    """A training run and how far it is."""

    version = serializers.IntegerField(
        source="version.number",
        default=None,
        allow_null=True,
        read_only=True,
        help_text="Of the metric that it made; null: none yet.",
    )

    class Meta:
        model = TrainingRun
        fields = [
            *("id", "snapshot", "config", "trigger", "state", "stage", "stage_done", "stage_total", "log"),
            *("error", "version", "created_at", "started_at", "finished_at"),
        ]


class TrainConfigSerializer(serializers.Serializer[Any]):
    """Settings of a training run that differ from TrainConfig's own."""

    declared = staticmethod(settings)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """One optional field for each setting, with its limits."""
        return {name: _field(field, setting) for name, (field, setting) in self.declared().items()}

    def to_internal_value(self, data: Any) -> Any:
        """The settings; a misspelt one is refused, and so is what does not go together."""
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            known = ", ".join(self.fields)
            raise serializers.ValidationError([f"Unknown setting {', '.join(unknown)}. Known: {known}."])
        return super().to_internal_value(data)


def _field(field: Field[Any], setting: Setting) -> serializers.Field[Any, Any, Any, Any]:
    """A setting as a field of the API."""
    common: dict[str, Any] = {"required": False, "label": setting.label, "help_text": setting.help}
    if isinstance(field.default, bool):
        return serializers.BooleanField(allow_null=field.name == "layer_scales", **common)
    if setting.several:
        return serializers.ListField(
            child=_one(setting, whole=False), max_length=setting.longest,
            allow_empty=setting.empty or field.name == "nets", **common,
        )  # fmt: skip
    return _one(setting, whole=isinstance(field.default, int), **common)


def _one(setting: Setting, *, whole: bool, **common: Any) -> serializers.Field[Any, Any, Any, Any]:
    if setting.choices:
        return serializers.ChoiceField(choices=tuple(setting.choices), **common)
    if whole:
        least, most = setting.whole_limits
        return serializers.IntegerField(min_value=least, max_value=most, **common)
    return serializers.FloatField(min_value=setting.least, max_value=setting.most, **common)


class RequestTrainingSerializer(serializers.Serializer[Any]):
    """What to train on, and how."""

    snapshot = serializers.PrimaryKeyRelatedField[Snapshot](queryset=Snapshot.objects.all())
    config = TrainConfigSerializer(required=False, help_text='Settings that differ, such as {"net": "vgg"}.')


class CodecTuningSerializer(TrainConfigSerializer):
    """Settings of a codec's training that differ from CodecTuning's own."""

    declared = staticmethod(codec_tuning.settings)


class RequestCodecTrainingSerializer(serializers.Serializer[Any]):
    """Which codec to tune on which metric version, and how."""

    version = serializers.SlugRelatedField[MetricVersion](
        slug_field="number",
        queryset=MetricVersion.objects.all(),
        help_text="The number of the metric version.",
    )
    codec = serializers.CharField(default="checkerboard", help_text="A learned codec of the zoo.")
    options = CodecTuningSerializer(
        required=False, help_text='Settings that differ, such as {"steps": 1000}.'
    )


class CodecTrainingSerializer(serializers.ModelSerializer[CodecTraining]):
    """A codec's training on a metric version and how far it is."""

    version = serializers.IntegerField(source="metric_version.number", read_only=True)
    codec_version = serializers.CharField(
        source="codec_version.name", default=None, allow_null=True, read_only=True,
        help_text="The name under which a study adds the codec; null until the training is done.",
    )  # fmt: skip

    class Meta:
        model = CodecTraining
        fields = [
            *(
                "id",
                "version",
                "codec",
                "options",
                "photographs",
                "state",
                "stage_done",
                "stage_total",
                "curve",
            ),
            *("log", "error", "codec_version", "created_at", "started_at", "finished_at"),
        ]


class DistanceRequestSerializer(serializers.Serializer[Any]):
    """Two images of one size."""

    reference = serializers.FileField()
    distorted = serializers.FileField()


class PreferenceRequestSerializer(serializers.Serializer[Any]):
    """An original and two images to choose from, all of one size."""

    reference = serializers.FileField()
    a = serializers.FileField()
    b = serializers.FileField()


class MeasuredSerializer(serializers.Serializer[Any]):
    """How far an image is from the reference."""

    distance = serializers.FloatField(allow_null=True, help_text="By the promoted metric; smaller is closer.")
    jnd = serializers.FloatField(
        allow_null=True, help_text="In just noticeable differences: at 1, 75 % see which image is closer."
    )


class PreferenceSerializer(serializers.Serializer[Any]):
    """The share of people who are expected to find the first image closer."""

    version = serializers.IntegerField(allow_null=True, help_text="Of the promoted metric; null: none yet.")
    prefers_a = serializers.FloatField(
        allow_null=True,
        help_text="Expected share of people, 0 to 1, who find a closer to the reference than b.",
    )
    a = MeasuredSerializer()
    b = MeasuredSerializer()
    calibrated_on = serializers.CharField(
        help_text="The votes behind shares and differences; or “not calibrated”."
    )
    simulated = serializers.BooleanField(
        help_text="The promoted metric was learned from simulated judgments."
    )


class FigureSerializer(serializers.Serializer[Any]):
    """One figure, or why it is not to be had."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field called label, not this field's label
    value = serializers.FloatField(allow_null=True)
    better = serializers.ChoiceField(choices=["smaller", "larger"])
    reason = serializers.CharField(allow_null=True)


class DistanceSerializer(serializers.Serializer[Any]):
    """How far the distorted image is from the reference."""

    version = serializers.IntegerField(allow_null=True, help_text="Of the promoted metric; null: none yet.")
    distance = serializers.FloatField(allow_null=True, help_text="By the promoted metric; smaller is closer.")
    jnd = serializers.FloatField(
        allow_null=True, help_text="In just noticeable differences: at 1, 75 % see which image is closer."
    )
    calibrated_on = serializers.CharField(help_text="The votes behind `jnd`; or “not calibrated”.")
    simulated = serializers.BooleanField(
        help_text="The promoted metric was learned from simulated judgments."
    )
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    baselines = FigureSerializer(many=True)
