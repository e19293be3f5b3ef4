"""The JSON endpoints by which a study is run: progress, photographs, copies, codecs, members, links, judgments."""

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation import tasks
from annotation.api import PROBLEM, PROBLEMS
from annotation.core.roles import ROLES, Reach
from annotation.models import Invitation, ResultsLink, Study
from annotation.queues import after_commit
from annotation.services import addition, members, studies, study_files
from annotation.services.sources import add_source
from annotation.services.visitors import MOST_INVITATIONS, invite
from annotation.views.access import staff_of, study_or_404
from annotation.views.downloads import judgments_as_csv
from annotation.views.invitations import described
from annotation.views.members import researcher_named, results_link
from annotation.views.study import status_of

MOST_LISTED = 500


def _valid(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    sent = serializer(data=request.data)
    sent.is_valid(raise_exception=True)
    return dict(sent.validated_data)


def _send_to_workers(study: Study, planned: list[int]) -> None:
    after_commit(tasks.enqueue_encodings, planned)
    if Study.objects.filter(pk=study.pk, unplanned=True).exists():
        after_commit(tasks.plan.delay, study.pk)


class MeterSerializer(serializers.Serializer[Any]):
    """How far something is."""

    done = serializers.IntegerField()
    total = serializers.IntegerField()
    words = serializers.CharField(help_text="The same as the page says it.")


class StudyProgressSerializer(serializers.Serializer[Any]):
    """How far a study is."""

    state = serializers.ChoiceField(choices=Study.State.choices)
    meters = serializers.DictField(child=MeterSerializer(), help_text="By what is counted.")
    pending_snapshots = serializers.IntegerField()
    open_flags = serializers.IntegerField(help_text="Flags of annotators that nobody has settled.")


class StudyProgressView(APIView):
    """How far a study is."""

    @extend_schema(operation_id="studies_progress", responses={200: StudyProgressSerializer, 404: PROBLEM})
    def get(self, request: Request, slug: str) -> Response:
        """Reconstructions, judgments and people so far, as the study's page shows them."""
        return Response(status_of(study_or_404(request, slug, Reach.DATA)))


class NewPhotographSerializer(serializers.Serializer[Any]):
    """A photograph for a draft."""

    photograph = serializers.FileField()
    licence = serializers.CharField(default="", allow_blank=True, max_length=200)
    attribution = serializers.CharField(default="", allow_blank=True, max_length=500)


class PhotographSerializer(serializers.Serializer[Any]):
    """A photograph as the study shows it."""

    name = serializers.CharField()
    sha256 = serializers.CharField(help_text="Of the pixels that are shown.")
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class PhotographsView(APIView):
    """Photographs of a draft."""

    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="studies_add_photograph",
        request={"multipart/form-data": NewPhotographSerializer},
        responses={201: PhotographSerializer, **PROBLEMS},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Add a photograph to a draft; a large one is cropped to what the study shows."""
        study = study_or_404(request, slug, Reach.RUN)
        sent = _valid(NewPhotographSerializer, request)
        file = sent.pop("photograph")
        source = add_source(study=study, file=file.file, name=file.name, **sent)
        made = {name: getattr(source, name) for name in ("sha256", "width", "height")}
        return Response({"name": file.name, **made}, status=status.HTTP_201_CREATED)


class CopySerializer(serializers.Serializer[Any]):
    """What the copy is called."""

    name = serializers.CharField(default="", allow_blank=True, max_length=120)


class NamedStudySerializer(serializers.Serializer[Any]):
    """A study by its name in addresses."""

    slug = serializers.CharField()
    name = serializers.CharField()


class CopyView(APIView):
    """A study made from another one."""

    @extend_schema(
        operation_id="studies_copy", request=CopySerializer, responses={201: NamedStudySerializer, **PROBLEMS}
    )
    def post(self, request: Request, slug: str) -> Response:
        """Make a draft with the rules, photographs and pictures of a study, and no answers; you own it."""
        study = study_or_404(request, slug, Reach.DATA)
        name = _valid(CopySerializer, request)["name"]
        copy = study_files.copy_study(study=study, owner=staff_of(request), name=name)
        return Response({"slug": copy.slug, "name": copy.name}, status=status.HTTP_201_CREATED)


class ArchiveSerializer(serializers.Serializer[Any]):
    """Whether a closed study is in the archive."""

    archived = serializers.BooleanField()


class ArchiveView(APIView):
    """The archive of closed studies."""

    @extend_schema(
        operation_id="studies_archive",
        request=ArchiveSerializer,
        responses={200: ArchiveSerializer, **PROBLEMS},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Move a closed study to the archive, or back to the list."""
        study = study_or_404(request, slug, Reach.OWN)
        archived = _valid(ArchiveSerializer, request)["archived"]
        return Response({"archived": studies.archive_study(study=study, back=not archived)})


class DraftDeletionView(APIView):
    """Drafts that nobody needs."""

    @extend_schema(operation_id="studies_delete", request=None, responses={204: None, **PROBLEMS})
    def post(self, request: Request, slug: str) -> Response:
        """Delete a draft for good; photographs that it shares with other studies stay."""
        studies.delete_draft(study=study_or_404(request, slug, Reach.OWN))
        return Response(status=status.HTTP_204_NO_CONTENT)


class AddCodecSerializer(serializers.Serializer[Any]):
    """A codec by its name."""

    codec = serializers.CharField(max_length=60)


class PlannedSerializer(serializers.Serializer[Any]):
    """What workers have to do now."""

    reconstructions = serializers.IntegerField(
        help_text="Sent to the workers; a large study is planned by one."
    )


class CodecsView(APIView):
    """Codecs of a study that is under way."""

    @extend_schema(
        operation_id="studies_add_codec",
        request=AddCodecSerializer,
        responses={200: PlannedSerializer, **PROBLEMS},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Add one more codec to a study that was opened; what was added stays."""
        study = study_or_404(request, slug, Reach.RUN)
        codec = _valid(AddCodecSerializer, request)["codec"]
        planned = addition.add_codec(study=study, codec=codec, by=staff_of(request), large_by_worker=True)
        _send_to_workers(study, planned)
        return Response({"reconstructions": len(planned)})


class RetryView(APIView):
    """Reconstructions that failed."""

    @extend_schema(operation_id="studies_retry", request=None, responses={200: PlannedSerializer, **PROBLEMS})
    def post(self, request: Request, slug: str) -> Response:
        """Send the reconstructions that failed to the workers again."""
        study = study_or_404(request, slug, Reach.RUN)
        again = studies.retry_failed(study=study)
        _send_to_workers(study, again)
        return Response({"reconstructions": len(again)})


class JudgmentsView(APIView):
    """Judgments as a table."""

    @extend_schema(
        operation_id="studies_judgments", responses={(200, "text/csv"): OpenApiTypes.STR, 404: PROBLEM}
    )
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """Every judgment as it was given, as CSV; those with `counted` and no `excluded_by` are votes."""
        return judgments_as_csv(study_or_404(request, slug, Reach.DATA))


class InviteSerializer(serializers.Serializer[Any]):
    """How many personal links, and what for."""

    number = serializers.IntegerField(min_value=1, max_value=MOST_INVITATIONS)
    note = serializers.CharField(default="", allow_blank=True, max_length=190)


class InvitedSerializer(serializers.Serializer[Any]):
    """A personal link to a study."""

    note = serializers.CharField()
    link = serializers.CharField()
    annotator = serializers.CharField(help_text='The number of who used it; "" before.')
    state = serializers.CharField()


class InvitationsView(APIView):
    """Personal links to a study."""

    @extend_schema(
        operation_id="studies_invitations", responses={200: InvitedSerializer(many=True), 404: PROBLEM}
    )
    def get(self, request: Request, slug: str) -> Response:
        """The newest 500 personal links, and who came by them."""
        study = study_or_404(request, slug, Reach.RUN)
        rows = Invitation.objects.filter(study=study).select_related("annotator").order_by("-pk")
        return Response(self._as_json(request, study, list(rows[:MOST_LISTED])))

    @extend_schema(
        operation_id="studies_invite",
        request=InviteSerializer,
        responses={201: InvitedSerializer(many=True), **PROBLEMS},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Make personal links."""
        study = study_or_404(request, slug, Reach.RUN)
        made = invite(study=study, **_valid(InviteSerializer, request))
        return Response(self._as_json(request, study, made), status=status.HTTP_201_CREATED)

    def _as_json(self, request: Request, study: Study, rows: list[Invitation]) -> list[dict[str, Any]]:
        return [
            {"note": one.invitation.note, "link": one.link, "annotator": one.annotator, "state": one.state}
            for one in described(request, study, rows)
        ]


class MemberSerializer(serializers.Serializer[Any]):
    """A researcher's role in a study."""

    username = serializers.CharField(max_length=150)
    role = serializers.ChoiceField(
        choices=list(ROLES), allow_null=True, help_text="null takes them out of the study."
    )


class MembersView(APIView):
    """Who may do what in a study."""

    @extend_schema(operation_id="studies_members", responses={200: MemberSerializer(many=True), 404: PROBLEM})
    def get(self, request: Request, slug: str) -> Response:
        """The members of a study with their roles."""
        return Response(_members_of(study_or_404(request, slug, Reach.RESULTS)))


class SetMemberView(APIView):
    """Roles in a study."""

    @extend_schema(
        operation_id="studies_set_member",
        request=MemberSerializer,
        responses={200: MemberSerializer(many=True), **PROBLEMS},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Give a researcher a role in a study, another one, or none."""
        study = study_or_404(request, slug, Reach.OWN)
        sent = _valid(MemberSerializer, request)
        user: User = researcher_named(sent["username"])
        if sent["role"] is None:
            members.remove_member(study=study, user=user)
        else:
            members.set_role(study=study, user=user, role=sent["role"])
        return Response(_members_of(study))


def _members_of(study: Study) -> list[dict[str, str]]:
    rows = study.memberships.order_by("role", "user__username").values_list("user__username", "role")
    return [{"username": username, "role": role} for username, role in rows]


class ShareSerializer(serializers.Serializer[Any]):
    """Who a link is for."""

    note = serializers.CharField(default="", allow_blank=True, max_length=200)


class ResultsLinkSerializer(serializers.Serializer[Any]):
    """A link by which anybody reads the results."""

    id = serializers.IntegerField()
    note = serializers.CharField()
    link = serializers.CharField()


class ResultsLinksView(APIView):
    """Read-only links to a study's results."""

    @extend_schema(
        operation_id="studies_results_links", responses={200: ResultsLinkSerializer(many=True), 404: PROBLEM}
    )
    def get(self, request: Request, slug: str) -> Response:
        """The links that work, the newest first."""
        study = study_or_404(request, slug, Reach.OWN)
        rows = study.results_links.filter(revoked_at=None).order_by("-pk")
        return Response([_link(request, one) for one in rows])

    @extend_schema(
        operation_id="studies_share_results",
        request=ShareSerializer,
        responses={201: ResultsLinkSerializer, **PROBLEMS},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Make a link by which anybody reads the results of a study."""
        study = study_or_404(request, slug, Reach.OWN)
        made = members.share_results(study=study, by=staff_of(request), **_valid(ShareSerializer, request))
        return Response(_link(request, made), status=status.HTTP_201_CREATED)


class TakeBackLinkView(APIView):
    """A link that is to work no more."""

    @extend_schema(operation_id="studies_take_back_link", request=None, responses={204: None, **PROBLEMS})
    def post(self, request: Request, slug: str, pk: int) -> Response:
        """Take a results link back: from now on it leads nowhere."""
        members.take_back_link(study=study_or_404(request, slug, Reach.OWN), pk=pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _link(request: Request, one: ResultsLink) -> dict[str, Any]:
    return {"id": one.pk, "note": one.note, "link": results_link(request, one)}
