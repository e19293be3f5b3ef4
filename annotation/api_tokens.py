"""The endpoint that gives a researcher's program its token: /api/v1/token/."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.authtoken.serializers import AuthTokenSerializer
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.models.members import LONGEST_TOKEN_DAYS
from annotation.serializers import ProblemSerializer
from annotation.services.tokens import USUAL_TOKEN_DAYS, make_token


class ObtainTokenSerializer(AuthTokenSerializer):
    """A login, and what the token is for."""

    name = serializers.CharField(default="", allow_blank=True, max_length=100, help_text="What it is for.")
    days = serializers.IntegerField(
        default=USUAL_TOKEN_DAYS,
        min_value=1,
        max_value=LONGEST_TOKEN_DAYS,
        help_text="Days until it expires.",
    )


class TokenSerializer(serializers.Serializer[Any]):
    """A token; it is told this once."""

    token = serializers.CharField()
    ends_at = serializers.DateTimeField()


class ObtainToken(APIView):
    """A login for a token."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    @extend_schema(
        request=ObtainTokenSerializer,
        responses={
            200: TokenSerializer,
            400: OpenApiResponse(ProblemSerializer),
            429: OpenApiResponse(ProblemSerializer),
        },
        operation_id="token_create",
    )
    def post(self, request: Request) -> Response:
        """Give a token with an end for a user name and a password."""
        # Django's own request: its middleware answers where the account or the client is locked.
        serializer = ObtainTokenSerializer(data=request.data, context={"request": request._request})
        serializer.is_valid(raise_exception=True)
        fields = serializer.validated_data
        token, secret = make_token(user=fields["user"], name=fields["name"], days=fields["days"])
        return Response({"token": secret, "ends_at": token.ends_at}, status=status.HTTP_200_OK)
