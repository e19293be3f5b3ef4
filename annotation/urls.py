"""Addresses of annotation's pages."""

from django.urls import path

from annotation.views import (
    actions,
    arrival,
    downloads,
    finish,
    home,
    invitations,
    judge,
    panels,
    results,
    studies,
    study,
)

urlpatterns = [
    path("", home.home, name="home"),
    path("judge/<str:key>/", judge.judge, name="judge"),
    path("judge/<str:key>/step/<slug:step>/", arrival.take_step, name="judge-step"),
    path("judge/<str:key>/end/", finish.end, name="judge-end"),
    path("studies/", studies.study_list, name="study-list"),
    path("studies/new/", studies.study_new, name="study-new"),
    path("studies/<slug:slug>/", study.study, name="study"),
    path("studies/<slug:slug>/status.json", study.status, name="study-status"),
    path("studies/<slug:slug>/people/", study.people, name="study-people"),
    path("studies/<slug:slug>/people/invitations/", invitations.invitations, name="study-invitations"),
    path(
        "studies/<slug:slug>/people/invitations.csv",
        invitations.invitations_csv,
        name="study-invitations-csv",
    ),
    path("studies/<slug:slug>/people/reconciliation/", panels.reconciliation, name="study-reconciliation"),
    path("studies/<slug:slug>/pairs/", study.pairs, name="study-pairs"),
    path("studies/<slug:slug>/results/", results.results, name="study-results"),
    path("studies/<slug:slug>/snapshots/", study.snapshots, name="study-snapshots"),
    path("studies/<slug:slug>/settings/", study.settings, name="study-settings"),
    path("studies/<slug:slug>/judgments.csv", downloads.judgments_csv, name="study-judgments"),
    path("studies/<slug:slug>/photographs/", actions.add_photographs, name="study-add-photographs"),
    path("studies/<slug:slug>/open/", actions.open_study, name="study-open"),
    path("studies/<slug:slug>/pause/", actions.pause_study, name="study-pause"),
    path("studies/<slug:slug>/close/", actions.close_study, name="study-close"),
    path("studies/<slug:slug>/retry/", actions.retry_failed, name="study-retry"),
    path("studies/<slug:slug>/snapshot/", actions.make_snapshot, name="study-snapshot"),
    path("sources/<int:pk>/image.png", downloads.source_image, name="source-image"),
    path("reconstructions/<int:pk>/image.png", downloads.reconstruction_image, name="reconstruction-image"),
    path("snapshots/<int:pk>/download/", downloads.snapshot_archive, name="snapshot-download"),
]
