"""Every address of Closer."""

from django.contrib import admin
from django.contrib.auth.views import (
    LoginView,
    LogoutView,
    PasswordChangeView,
    PasswordResetConfirmView,
    PasswordResetDoneView,
    PasswordResetView,
)
from django.urls import include, path, reverse_lazy

from annotation.api_tokens import ObtainToken
from config.help import views as help_views
from config.parsing import BoundedFormParser, PlainJSONParser
from config.schema_view import SchemaView

handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_failed"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path(
        "account/password/",
        PasswordChangeView.as_view(success_url=reverse_lazy("account")),
        name="password_change",
    ),
    path("account/reset/", PasswordResetView.as_view(), name="password_reset"),
    path("account/reset/sent/", PasswordResetDoneView.as_view(), name="password_reset_done"),
    path(
        "account/reset/<uidb64>/<token>/",
        PasswordResetConfirmView.as_view(success_url=reverse_lazy("login")),
        name="password_reset_confirm",
    ),
    path(
        "api/v1/token/",
        ObtainToken.as_view(parser_classes=[PlainJSONParser, BoundedFormParser]),
        name="token",
    ),
    path("api/v1/schema/", SchemaView.as_view(), name="schema"),
    path("api/v1/", include("annotation.api_urls")),
    path("api/v1/", include("metric.api_urls")),
    path("help/", help_views.guide, name="help"),
    path("help/reference/", help_views.reference, name="help-reference"),
    path("help/images/<str:name>", help_views.picture, name="help-picture"),
    path("help/<path:name>/", help_views.guide, name="help-page"),
    path("metric/", include("metric.urls")),
    path("", include("annotation.urls")),
]
