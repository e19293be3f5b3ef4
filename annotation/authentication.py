"""How the API knows a researcher: `Authorization: Token …`, each token with an end."""

from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from annotation.models import AccessToken
from annotation.services.tokens import hash_secret


class EndingTokenAuthentication(TokenAuthentication):
    """DRF's header with our tokens: their hash is looked up, and an end that has passed is said."""

    def authenticate_credentials(self, key: str) -> tuple[User, AccessToken]:
        """The researcher and the token. Raises AuthenticationFailed."""
        token = AccessToken.objects.select_related("user").filter(sha256=hash_secret(key)).first()
        if token is None or not token.user.is_active:
            raise AuthenticationFailed("Unknown token.")
        if token.ends_at <= timezone.now():
            raise AuthenticationFailed(
                f"This token expired on {token.ends_at:%Y-%m-%d}. Create a new one on your account page."
            )
        return token.user, token
