"""The JSON endpoints of judging and of studies and snapshots: /api/v1/."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext, gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation import serializers
from annotation.authentication import EndingTokenAuthentication
from annotation.core.roles import Reach
from annotation.errors import (
    NotYours,
    Refused,
    ResearcherNeeded,
    SessionErased,
    StorageUnavailable,
)
from annotation.models import Annotator, Assignment, Session, Study
from annotation.models.people import SessionQuerySet
from annotation.services.claims import Claim, NoPair, claim, claim_in_turn
from annotation.services.judging import Answer, record
from annotation.services.picture_copies import address_of, pictures_are_proxied
from annotation.services.pictures import picture_bytes
from annotation.services.practice import feedback_on
from annotation.services.sessions import (
    begin_session,
    progress_in,
    require_open,
    session_progress,
    skip_assignment,
)
from annotation.throttles import JudgingThrottle, client_name
from annotation.transient import is_transient
from annotation.views.access import may, staff_of

log = structlog.get_logger(__name__)

SESSION_HEADER = OpenApiParameter(
    "X-Closer-Session", str, OpenApiParameter.HEADER, required=True, description="The key of the session."
)
ERASED = OpenApiResponse(
    serializers.ProblemSerializer, description="The session was erased with its annotator."
)
PROBLEM = OpenApiResponse(
    serializers.ProblemSerializer, description="Refused; `detail` says why and what to do."
)
UNKNOWN_SESSION = gettext_lazy(
    "There is no session with this key, or it was deleted with its answers. Open the study's link again."
)
PROBLEMS = {400: PROBLEM, 403: PROBLEM, 404: PROBLEM, 409: PROBLEM, 429: PROBLEM}


def sessions_of(request: Request) -> SessionQuerySet:
    """The one session that the request's header names, if there is one. Raises NotYours without the header."""
    key = request.headers.get("X-Closer-Session", "")
    if not key:
        raise NotYours("Send the key of your session in the header X-Closer-Session.")
    return Session.objects.filter(key=key)


def session_of(request: Request) -> Session:
    """The session named in the request's header. Raises NotYours without one."""
    session = sessions_of(request).select_related("study", "annotator").first()
    if session is None:
        raise NotYours(str(UNKNOWN_SESSION))
    return session


def require_researcher(request: Request) -> None:
    """Refuses programs that nobody of the staff has sent: their answers would pass for a study's own trial."""
    if not request.user.is_staff:
        raise ResearcherNeeded(
            "Simulated annotators require a researcher's token in the header 'Authorization: Token …'. "
            "People judge without one."
        )


class JudgingView(APIView):
    """For annotators: no login, the session key opens the door."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes = [JudgingThrottle]
    throttle_scope = ""


class BeginSession(JudgingView):
    """A session begins. A token is needed for simulated annotators alone."""

    authentication_classes = [EndingTokenAuthentication]

    @extend_schema(
        request=serializers.BeginSessionSerializer,
        responses={201: serializers.SessionSerializer, **PROBLEMS},
        operation_id="sessions_create",
    )
    def post(self, request: Request) -> Response:
        """Begin a session on the study with this key, or go on with the annotator's current one."""
        fields = serializers.valid_data(
            serializers.BeginSessionSerializer, request.data, passes_over_unknown=True
        )
        if fields["simulated"]:
            require_researcher(request)
        study = get_object_or_404(Study, key=fields.pop("study"))
        if fields["simulated"] and not may(staff_of(request), study, Reach.RUN):
            raise ResearcherNeeded(
                "Simulated annotators require the token of an editor or an owner of the study; yours "
                "belongs to neither."
            )
        known = Annotator.objects.filter(key=fields.pop("annotator_key", "")).first()
        session = begin_session(
            study=study,
            annotator_id=known.pk if known else None,
            client=client_name(request),
            **fields,
        )
        return Response(serializers.SessionSerializer(session).data, status=status.HTTP_201_CREATED)


class NextAssignment(JudgingView):
    """The next pair of a session."""

    throttle_scope = "next"

    @extend_schema(
        request=serializers.NextSerializer,
        responses={200: serializers.NextPairSerializer, 410: ERASED, **PROBLEMS},
        operation_id="assignments_next",
    )
    def post(self, request: Request, key: str) -> Response:
        """Lease the next pair, or hear why there is none by another status."""
        holding = serializers.valid_data(serializers.NextSerializer, request.data, passes_over_unknown=True)[
            "holding"
        ]
        try:
            return Response(next_pair_response(Session.objects.filter(key=key), holding))
        except SessionErased as error:
            raise Http404(str(UNKNOWN_SESSION)) from error


def next_pair_response(sessions: SessionQuerySet, holding: Sequence[UUID]) -> dict[str, Any]:
    """The next pair of the session, or why there is none, with its progress."""
    return _as_next_pair(claim(sessions=sessions, holding=holding, require=require_open))


def _as_next_pair(claimed: Claim) -> dict[str, Any]:
    pair, progress = claimed.outcome, progress_in(claimed.session, claimed.enrolment)
    if isinstance(pair, NoPair):
        answer = {"status": pair.status, "detail": pair.detail, "retry_after_s": pair.retry_after_s}
        return {**answer, "progress": progress}
    return {"status": "pair", "assignment": serializers.pair_of(pair), "progress": progress}


class SubmitJudgment(JudgingView):
    """The answer to a pair."""

    throttle_scope = "answer"

    @extend_schema(
        request=serializers.SubmitJudgmentSerializer,
        parameters=[SESSION_HEADER],
        responses={
            200: OpenApiResponse(serializers.RecordedSerializer, description="It was already recorded."),
            201: OpenApiResponse(serializers.RecordedSerializer, description="Recorded."),
            410: OpenApiResponse(
                serializers.ProblemSerializer, description="The lease expired, or the session was erased."
            ),
            **PROBLEMS,
        },
        operation_id="judgments_submit",
    )
    def put(self, request: Request, pk: UUID) -> Response:
        """Record an answer under an id of the caller's making. Repeat it as often as needed: it counts once."""
        fields = serializers.valid_data(
            serializers.SubmitJudgmentSerializer, request.data, passes_over_unknown=True
        )
        given = Answer(pk, fields["assignment"], fields["answer"], fields["timing"], fields["supersedes"])
        sessions, holding = sessions_of(request), fields["holding"]
        then = None if holding is None else partial(claim_in_turn, holding=holding, require=require_open)
        try:
            recorded = record(sessions=sessions, given=given, then=then)
        except SessionErased as error:
            raise NotYours(str(UNKNOWN_SESSION)) from error
        feedback = feedback_on(recorded.judgment)
        content = {
            "id": recorded.judgment.pk,
            "progress": progress_in(recorded.session, recorded.enrolment),
            "feedback": {"right": feedback.right, "closer": feedback.closer} if feedback else None,
        }
        if recorded.followed:
            content["next"] = _as_next_pair(recorded.followed)
        elif holding is not None:
            content["next"] = _next_or_refusal(sessions, holding)
        code = status.HTTP_201_CREATED if recorded.created else status.HTTP_200_OK
        return Response(content, status=code)


def _next_or_refusal(sessions: SessionQuerySet, holding: Sequence[UUID]) -> dict[str, Any]:
    """The answer is recorded, whatever is said of the next pair."""
    try:
        return next_pair_response(sessions, holding)
    except Refused as refusal:
        return {"status": "refused", "code": refusal.code, "detail": str(refusal)}


class SkipAssignment(JudgingView):
    """A pair that could not be shown."""

    throttle_scope = "skip"

    @extend_schema(
        request=serializers.SkipSerializer,
        parameters=[SESSION_HEADER],
        responses={200: serializers.ProgressSerializer, 410: ERASED, **PROBLEMS},
        operation_id="assignments_skip",
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Give a pair back with the cause, so that a broken image holds nobody up."""
        fields = serializers.valid_data(serializers.SkipSerializer, request.data, passes_over_unknown=True)
        session = session_of(request)
        words = " ".join(word for word in (fields["slot"], fields["detail"]) if word)
        skip_assignment(session=session, assignment_id=pk, cause=fields["cause"], detail=words)
        return Response(session_progress(session))


class AssignmentImage(JudgingView):
    """One image of a pair, lossless, under an address that tells nothing."""

    throttle_scope = "image"

    @extend_schema(
        responses={(200, "image/png"): OpenApiTypes.BINARY, 404: PROBLEM, 429: PROBLEM, 503: PROBLEM},
        operation_id="assignments_image",
    )
    def get(self, request: Request, pk: UUID, slot: str) -> HttpResponse:
        """The left, original or right image of an assignment."""
        try:
            response = picture_response(pk, slot)
        except Assignment.DoesNotExist as error:
            raise Http404(gettext("There is no such pair, or its lease expired long ago.")) from error
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("a picture could not be read", error=f"{type(error).__name__}: {error}")
            raise StorageUnavailable from error
        response.headers["Cache-Control"] = "private, max-age=3600, immutable, no-transform"
        return response


def picture_response(assignment: UUID, slot: str) -> HttpResponse:
    """A picture of a pair, or for the proxy in front where its file is. Raises Assignment.DoesNotExist."""
    if not pictures_are_proxied():
        return HttpResponse(picture_bytes(assignment, slot), content_type="image/png")
    headers = {"X-Accel-Redirect": address_of(assignment, slot)}
    return HttpResponse(content_type="image/png", headers=headers)
