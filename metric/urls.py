"""Addresses of metric's pages, below /metric/."""

from django.urls import path

from metric import codec_views, views

urlpatterns = [
    path("", views.metric_list, name="metric-list"),
    path("snapshots/<int:pk>/train/", views.train, name="metric-train"),
    path("runs/<int:pk>/", views.training_run, name="training-run"),
    path("runs/<int:pk>/status.json", views.run_status, name="training-run-status"),
    path("runs/<int:pk>/cancel/", views.cancel, name="training-run-cancel"),
    path("runs/<int:pk>/again/", views.train_again, name="training-run-again"),
    path("versions/<int:number>/", views.metric_version, name="metric-version"),
    path("versions/<int:number>/download/", views.version_archive, name="metric-download"),
    path("versions/<int:number>/files/<str:name>", views.version_file, name="metric-file"),
    path("versions/<int:number>/codec/", codec_views.train_codec, name="codec-train"),
    path("codecs/<int:pk>/", codec_views.codec_training, name="codec-training"),
    path("codecs/<int:pk>/status.json", codec_views.codec_training_status, name="codec-training-status"),
    path("codecs/<int:pk>/cancel/", codec_views.cancel_codec, name="codec-training-cancel"),
    path("codecs/<int:pk>/continue/", codec_views.continue_codec, name="codec-training-continue"),
    path("codecs/<int:pk>/weights/", codec_views.codec_weights, name="codec-weights"),
    path("back/", views.back, name="metric-back"),
    path("stock/", views.stock, name="metric-stock"),
    path("schedule/<slug:slug>/", views.schedule, name="metric-schedule"),
    path("versions/<int:number>/promote/", views.promote, name="metric-promote"),
]
