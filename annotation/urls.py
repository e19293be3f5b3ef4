"""Addresses of annotation's pages."""

from django.urls import path

from annotation.views import home, judge

urlpatterns = [
    path("", home.home, name="home"),
    path("judge/<str:key>/", judge.judge, name="judge"),
]
