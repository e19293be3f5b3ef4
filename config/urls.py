"""Every address of Closer."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.authtoken.views import ObtainAuthToken

from config.parsing import BoundedFormParser, PlainJSONParser

handler500 = "config.errors.server_failed"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path(
        "api/v1/token/",
        ObtainAuthToken.as_view(parser_classes=[PlainJSONParser, BoundedFormParser]),
        name="token",
    ),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/", include("annotation.api_urls")),
    path("api/v1/", include("metric.api_urls")),
    path("metric/", include("metric.urls")),
    path("", include("annotation.urls")),
]
