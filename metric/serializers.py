"""What goes over the wire of /api/v1/ about metrics."""

from typing import Any

from rest_framework import serializers

from annotation.models import Snapshot
from metric.core.config import BASELINE_KEYS, DEVICES, KINDS, NETS, TERMS
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


class TrainConfigSerializer(serializers.Serializer[Any]):
    """Settings of a training run that differ from TrainConfig's own, within what a worker can do."""

    net = serializers.ChoiceField(choices=NETS, required=False)
    nets = serializers.ListField(
        child=serializers.ChoiceField(choices=NETS),
        max_length=len(NETS),
        required=False,
        help_text="Trunks joined in one fit, in place of net.",
    )
    kind = serializers.ChoiceField(choices=KINDS, required=False)
    terms = serializers.ListField(
        child=serializers.ChoiceField(choices=TERMS), max_length=len(TERMS), required=False
    )
    structure = serializers.BooleanField(required=False)
    layer_scales = serializers.BooleanField(required=False, allow_null=True)
    lapse = serializers.BooleanField(required=False)
    reliability = serializers.BooleanField(required=False)
    epochs = serializers.IntegerField(min_value=1, max_value=1000, required=False)
    patience = serializers.IntegerField(min_value=1, max_value=1000, required=False)
    learning_rate = serializers.FloatField(min_value=1e-9, max_value=0.1, required=False)
    crop = serializers.IntegerField(min_value=0, max_value=4096, required=False)
    compile = serializers.BooleanField(required=False)
    strengths = serializers.ListField(
        child=serializers.FloatField(min_value=1e-6, max_value=1e6),
        min_length=1,
        max_length=50,
        required=False,
        help_text="Penalties that cross-validation chooses from.",
    )
    folds = serializers.IntegerField(min_value=2, max_value=50, required=False)
    seed = serializers.IntegerField(min_value=0, max_value=2**32 - 1, required=False)
    side_bias = serializers.BooleanField(required=False)
    resamples = serializers.IntegerField(min_value=100, max_value=20_000, required=False)
    baselines = serializers.ListField(
        child=serializers.ChoiceField(choices=BASELINE_KEYS), max_length=len(BASELINE_KEYS), required=False
    )
    minimum_photographs = serializers.IntegerField(min_value=2, max_value=1_000_000, required=False)
    minimum_judgments = serializers.IntegerField(min_value=1, max_value=1_000_000_000, required=False)
    device = serializers.ChoiceField(
        choices=DEVICES, required=False, help_text="cuda: for a worker of the queue train-gpu."
    )
    minimum_photographs = serializers.IntegerField(min_value=2, max_value=10**6, required=False)
    minimum_judgments = serializers.IntegerField(min_value=1, max_value=10**9, required=False)
    device = serializers.ChoiceField(choices=["auto", "cpu", "cuda"], required=False)

    def to_internal_value(self, data: Any) -> Any:
        """The settings; a misspelt one is refused rather than left out."""
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            known = ", ".join(self.fields)
            raise serializers.ValidationError([f"Unknown setting {', '.join(unknown)}. Known: {known}."])
        return super().to_internal_value(data)


class RequestTrainingSerializer(serializers.Serializer[Any]):
    """What to train on, and how."""

    snapshot = serializers.PrimaryKeyRelatedField[Snapshot](queryset=Snapshot.objects.all())
    config = TrainConfigSerializer(required=False, help_text='Settings that differ, such as {"net": "vgg"}.')


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
