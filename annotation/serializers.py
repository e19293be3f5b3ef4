"""What goes over the wire of /api/v1/."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from annotation.models import Assignment, Judgment, Session, Snapshot, Study
from annotation.services.panels import panel_link

# What a browser sends along with any form.
_ALWAYS = {"csrfmiddlewaretoken"}


def valid_data(
    serializer: type[serializers.Serializer[Any]],
    data: Mapping[str, Any] | Sequence[Any],
    *,
    passes_over_unknown: bool = False,
) -> dict[str, Any]:
    """A request's data or query as the serializer describes it. Raises ValidationError.

    A field that it does not know is refused: who sent it would believe that it had an effect. `passes_over_unknown`
    is for the judging page, which may be older than the server, and for queries.
    """
    received = serializer(data=data)
    received.is_valid(raise_exception=True)
    if isinstance(data, Mapping) and not passes_over_unknown:
        known = ", ".join(name for name, field in received.fields.items() if not field.read_only)
        unknown = sorted(set(map(str, data)) - set(received.fields) - _ALWAYS)
        if unknown:
            sentence = f"There is no such field here. Known: {known}."
            raise serializers.ValidationError({name: [sentence] for name in unknown[:20]})
    return dict(received.validated_data)


class ProblemSerializer(serializers.Serializer[Any]):
    """Why a request was refused."""

    code = serializers.CharField(
        required=False, help_text="For programs. If it is missing, the error does not come from the API."
    )
    detail = serializers.CharField(help_text="For people: what happened and what to do.")
    fields = serializers.DictField(  # type: ignore[assignment]  # declared fields leave the class
        required=False, help_text="What is wrong with individual fields of the request."
    )


class ProgressSerializer(serializers.Serializer[Any]):
    """How far a session is."""

    answered = serializers.IntegerField()
    total = serializers.IntegerField()
    stage = serializers.ChoiceField(choices=["training", "judging"])


class BeginSessionSerializer(serializers.Serializer[Any]):
    """Who sits down, to which study, on what screen."""

    study = serializers.CharField(max_length=32, help_text="The key in the study's link.")
    annotator_key = serializers.CharField(
        required=False,
        max_length=32,
        help_text="The annotator's key from an earlier response; without it, a new annotator is created.",
    )
    simulated = serializers.BooleanField(
        default=False, help_text="True for a program that simulates a person."
    )
    screen = serializers.JSONField(default=dict)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "annotator_id" in self.initial_data:
            raise serializers.ValidationError(
                {
                    "annotator_id": [
                        "An annotator's id gives no access. Send the annotator_key that you received with it."
                    ]
                }
            )
        return attrs

    def validate_screen(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or len(str(value)) > 4000:
            raise serializers.ValidationError('Give a small object, such as {"width": 1920, "dpr": 1}.')
        return value


class JudgedStudySerializer(serializers.ModelSerializer[Study]):
    """What a judging page needs to know of a study."""

    name = serializers.CharField(source="public_title", read_only=True)

    class Meta:
        model = Study
        fields = [
            "name",
            "question",
            "instructions",
            "allow_ties",
            "min_view_ms",
            "surround",
            "pairs_per_session",
        ]


class SessionSerializer(serializers.ModelSerializer[Session]):
    """A session; its key is the permission to judge in it."""

    study = JudgedStudySerializer(read_only=True)
    annotator = serializers.UUIDField(source="annotator_id", read_only=True)
    annotator_key = serializers.CharField(source="annotator.key", read_only=True)
    simulated = serializers.BooleanField(source="annotator.simulated", read_only=True)

    class Meta:
        model = Session
        fields = ["key", "annotator", "annotator_key", "simulated", "answered", "study"]


class NextSerializer(serializers.Serializer[Any]):
    """What the page has in hand already."""

    holding = serializers.ListField(child=serializers.UUIDField(), default=list, max_length=20)


class ImagesSerializer(serializers.Serializer[Any]):
    """Addresses of the three images."""

    left = serializers.CharField()
    original = serializers.CharField()
    right = serializers.CharField()


class AssignmentSerializer(serializers.ModelSerializer[Assignment]):
    """A leased pair: nothing here tells one codec from another, or a check from a pair."""

    images = serializers.SerializerMethodField()
    width = serializers.IntegerField(source="triplet.source.width")
    height = serializers.IntegerField(source="triplet.source.height")
    training = serializers.SerializerMethodField()

    class Meta:
        model = Assignment
        fields = ["id", "position", "training", "images", "width", "height", "issued_at", "expires_at"]

    def get_training(self, assignment: Assignment) -> bool:
        return assignment.kind == Assignment.Kind.TRAINING

    @extend_schema_field(ImagesSerializer)
    def get_images(self, assignment: Assignment) -> dict[str, str]:
        slots = ("left", "original", "right")
        return {slot: reverse("assignment-image", args=[assignment.pk, slot]) for slot in slots}


def pair_of(assignment: Assignment) -> dict[str, Any]:
    """What AssignmentSerializer says, by hand: its machinery took longer than the claim's own look-ups."""
    source = assignment.triplet.source
    root = reverse("assignment-image", args=[assignment.pk, "left"]).removesuffix("left.png")
    return {
        "id": str(assignment.pk),
        "position": assignment.position,
        "training": assignment.kind == Assignment.Kind.TRAINING,
        "images": {slot: f"{root}{slot}.png" for slot in ("left", "original", "right")},
        "width": source.width,
        "height": source.height,
        "issued_at": assignment.issued_at.isoformat().replace("+00:00", "Z"),
        "expires_at": assignment.expires_at.isoformat().replace("+00:00", "Z"),
    }


class NextPairSerializer(serializers.Serializer[Any]):
    """A pair, or why there is none."""

    status = serializers.ChoiceField(
        choices=["pair", "nothing_free", "nothing_left", "sitting_over", "training_failed", "refused"]
    )
    assignment = AssignmentSerializer(required=False)
    detail = serializers.CharField(required=False)
    code = serializers.CharField(required=False, help_text="For an answer that was recorded with a refusal.")
    retry_after_s = serializers.IntegerField(required=False, allow_null=True)
    progress = ProgressSerializer()


class SubmitJudgmentSerializer(serializers.Serializer[Any]):
    """An answer and the raw record of how it came about."""

    assignment = serializers.UUIDField()
    answer = serializers.ChoiceField(choices=Judgment.Side.choices)
    timing = serializers.DictField(
        help_text="Offsets in ms on the browser's clock: docs/api.md lists the keys."
    )
    supersedes = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="The answer that this one undoes."
    )
    holding = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        allow_null=True,
        default=None,
        max_length=20,
        help_text="With it, even empty, the answer brings the next pair, as assignments_next does.",
    )


class FeedbackSerializer(serializers.Serializer[Any]):
    """What a training answer should have been."""

    right = serializers.BooleanField()
    closer = serializers.ChoiceField(choices=Judgment.Side.choices)


class RecordedSerializer(serializers.Serializer[Any]):
    """An answer that is safe in the database."""

    id = serializers.UUIDField()
    progress = ProgressSerializer()
    feedback = FeedbackSerializer(allow_null=True, help_text="In practice only.")
    next = NextPairSerializer(required=False, help_text="If the request included `holding`.")


class SkipSerializer(serializers.Serializer[Any]):
    """Why a pair could not be shown."""

    cause = serializers.ChoiceField(choices=["image_failed", "too_small", "flagged", "other"])
    slot = serializers.ChoiceField(choices=["left", "original", "right", ""], default="")
    detail = serializers.CharField(max_length=200, default="", allow_blank=True)


class StudySerializer(serializers.ModelSerializer[Study]):
    """A study as its researcher sees it."""

    judgments_by_people = serializers.IntegerField(read_only=True)
    judgments_simulated = serializers.IntegerField(read_only=True)
    link = serializers.SerializerMethodField(
        help_text="The link to distribute; for a panel, with its placeholders, because the plain link is "
        "refused there."
    )

    class Meta:
        model = Study
        fields = [
            *(
                "slug",
                "name",
                "key",
                "link",
                "state",
                "question",
                "codecs",
                "target_bpps",
                "votes_per_triplet",
            ),
            *("pairs_per_session", "allow_ties", "min_view_ms", "created_at", "opened_at", "closed_at"),
            *("judgments_by_people", "judgments_simulated"),
        ]

    def get_link(self, study: Study) -> str:
        door = reverse("judge", args=[study.key])
        request = self.context.get("request")
        return panel_link(request.build_absolute_uri(door) if request else door, study.rules.panel)


class RequestSnapshotSerializer(serializers.Serializer[Any]):
    """Which judgments to freeze."""

    study = serializers.SlugField(help_text="The study's slug.")
    simulated = serializers.BooleanField(default=False, help_text="Simulated judgments instead of people's.")


class SnapshotSerializer(serializers.ModelSerializer[Snapshot]):
    """A snapshot and how far it is."""

    study = serializers.SlugRelatedField[Study](slug_field="slug", read_only=True)

    class Meta:
        model = Snapshot
        fields = [
            *("id", "study", "number", "simulated", "state", "error", "counts", "filters", "sha256"),
            *("until", "created_at", "finished_at", "removed_at"),
        ]
