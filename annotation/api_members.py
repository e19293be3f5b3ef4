"""The JSON endpoints about who comes to a study: personal links, members with their roles, links to the results."""

from typing import Any

from django.contrib.auth.models import User
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.api import PROBLEM, PROBLEMS
from annotation.core.roles import ROLES, Reach
from annotation.models import Invitation, ResultsLink, Study
from annotation.serializers import valid_data
from annotation.services import members
from annotation.services.visitors import MOST_INVITATIONS, invite
from annotation.views.access import staff_of, study_or_404
from annotation.views.invitations import described
from annotation.views.members import researcher_named, results_link
from annotation.views.paging import Page, next_address, page_by_pk

LINKS_A_PAGE = 500
MEMBERS_A_PAGE = 500
AFTER = OpenApiParameter("after", int, description="As the header `Link` of the page before has it.")


class InviteSerializer(serializers.Serializer[Any]):
    """How many personal links, and what for."""

    number = serializers.IntegerField(min_value=1, max_value=MOST_INVITATIONS)
    note = serializers.CharField(default="", allow_blank=True, max_length=190)


class InvitedSerializer(serializers.Serializer[Any]):
    """A personal link to a study."""

    note = serializers.CharField()
    link = serializers.CharField()
    annotator = serializers.CharField(
        help_text='The number of the annotator who used it; "" while it is unused.'
    )
    state = serializers.CharField()


class InvitationsView(APIView):
    """Personal links to a study."""

    @extend_schema(
        operation_id="studies_invitations",
        parameters=[AFTER],
        responses={200: InvitedSerializer(many=True), 404: PROBLEM},
    )
    def get(self, request: Request, slug: str) -> Response:
        """Personal links, and who came by them, the newest first: 500 at once; the header `Link` leads to the rest."""
        study = study_or_404(request, slug, Reach.RUN)
        rows = Invitation.objects.filter(study=study).select_related("annotator")
        page = page_by_pk(request._request, rows, size=LINKS_A_PAGE)
        return Response(self._as_json(request, study, page.rows), headers=_link_to_rest(request, page))

    @extend_schema(
        operation_id="studies_invite",
        request=InviteSerializer,
        responses={201: InvitedSerializer(many=True), **PROBLEMS},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Make personal links."""
        study = study_or_404(request, slug, Reach.RUN)
        made = invite(study=study, **valid_data(InviteSerializer, request.data))
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
        choices=list(ROLES), allow_null=True, help_text="null removes them from the study."
    )


class MembersView(APIView):
    """Who may do what in a study."""

    @extend_schema(
        operation_id="studies_members",
        parameters=[AFTER],
        responses={200: MemberSerializer(many=True), 404: PROBLEM},
    )
    def get(self, request: Request, slug: str) -> Response:
        """The members with their roles, in the order in which they joined: 500 at once; `Link` leads to the rest."""
        return _members_of(request, study_or_404(request, slug, Reach.RESULTS))


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
        sent = valid_data(MemberSerializer, request.data)
        user: User = researcher_named(sent["username"])
        if sent["role"] is None:
            members.remove_member(study=study, user=user)
        else:
            members.set_role(study=study, user=user, role=sent["role"])
        return _members_of(request, study)


def _members_of(request: Request, study: Study) -> Response:
    rows = study.memberships.select_related("user")
    page = page_by_pk(request._request, rows, size=MEMBERS_A_PAGE, oldest_first=True)
    headers = _link_to_rest(request, page, reverse("api-study-members", args=[study.slug]))
    return Response([{"username": one.user.username, "role": one.role} for one in page.rows], headers=headers)


def _link_to_rest(request: Request, page: Page, path: str = "") -> dict[str, str]:
    """The header that leads to the page after this one; none on the last."""
    following = next_address(request._request, page, path)
    return {"Link": f'<{following}>; rel="next"'} if following else {}


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
        operation_id="studies_results_links",
        parameters=[AFTER],
        responses={200: ResultsLinkSerializer(many=True), 404: PROBLEM},
    )
    def get(self, request: Request, slug: str) -> Response:
        """The links that work, the newest first: 500 at once; the header `Link` leads to the rest."""
        study = study_or_404(request, slug, Reach.OWN)
        page = page_by_pk(request._request, study.results_links.filter(revoked_at=None), size=LINKS_A_PAGE)
        return Response([_link(request, one) for one in page.rows], headers=_link_to_rest(request, page))

    @extend_schema(
        operation_id="studies_share_results",
        request=ShareSerializer,
        responses={201: ResultsLinkSerializer, **PROBLEMS},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Make a link by which anybody reads the results of a study."""
        study = study_or_404(request, slug, Reach.OWN)
        made = members.share_results(
            study=study, by=staff_of(request), **valid_data(ShareSerializer, request.data)
        )
        return Response(_link(request, made), status=status.HTTP_201_CREATED)


class RevokeLinkView(APIView):
    """A link that is to work no more."""

    @extend_schema(operation_id="studies_take_back_link", request=None, responses={204: None, **PROBLEMS})
    def post(self, request: Request, slug: str, pk: int) -> Response:
        """Take a results link back: from now on it leads nowhere."""
        members.revoke_link(study=study_or_404(request, slug, Reach.OWN), pk=pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _link(request: Request, one: ResultsLink) -> dict[str, Any]:
    return {"id": one.pk, "note": one.note, "link": results_link(request, one)}
