"""What goes over the wire of /api/v1/ about metrics."""

from typing import Any

from rest_framework import serializers

from annotation.models import Snapshot
from metric.models import MetricVersion, TrainingRun


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
    """Why a version is promoted."""

    reason = serializers.CharField(max_length=300)


class TrainingRunSerializer(serializers.ModelSerializer[TrainingRun]):
    """A training run and how far it is."""

    version = serializers.IntegerField(source="version.number", default=None, read_only=True)

    class Meta:
        model = TrainingRun
        fields = [
            *("id", "snapshot", "config", "trigger", "state", "stage", "stage_done", "stage_total", "log"),
            *("error", "version", "created_at", "started_at", "finished_at"),
        ]


class RequestTrainingSerializer(serializers.Serializer[Any]):
    """What to train on, and how."""

    snapshot = serializers.PrimaryKeyRelatedField[Snapshot](queryset=Snapshot.objects.all())
    config = serializers.DictField(default=dict, help_text='Settings that differ, such as {"net": "vgg"}.')


class DistanceRequestSerializer(serializers.Serializer[Any]):
    """Two images of one size."""

    reference = serializers.FileField()
    distorted = serializers.FileField()


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
    simulated = serializers.BooleanField(
        help_text="The promoted metric was learned from simulated judgments."
    )
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    baselines = FigureSerializer(many=True)
