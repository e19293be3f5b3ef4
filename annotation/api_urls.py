"""Addresses of annotation's JSON endpoints, below /api/v1/."""

from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from annotation import (
    api,
    api_members,
    api_pairs,
    api_people,
    api_results,
    api_running,
    api_snapshots,
    api_studies,
)

router = SimpleRouter()
router.register("studies", api_studies.StudyViewSet, basename="api-study")
router.register("snapshots", api_snapshots.SnapshotViewSet, basename="api-snapshot")

urlpatterns = [
    path("sessions/", api.BeginSession.as_view(), name="session-begin"),
    path("sessions/<str:key>/next/", api.NextAssignment.as_view(), name="assignment-next"),
    path("judgments/<uuid:pk>/", api.SubmitJudgment.as_view(), name="judgment-submit"),
    path("assignments/<uuid:pk>/skip/", api.SkipAssignment.as_view(), name="assignment-skip"),
    re_path(
        r"^assignments/(?P<pk>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/(?P<slot>left|original|right)\.png$",
        api.AssignmentImage.as_view(),
        name="assignment-image",
    ),
    path("studies/<slug:slug>/results/", api_results.StudyResultsView.as_view(), name="api-study-results"),
    path("studies/<slug:slug>/figures/", api_results.FiguresView.as_view(), name="api-study-figures"),
    path(
        "studies/<slug:slug>/figures/<str:name>.<str:form>",
        api_results.FigureView.as_view(),
        name="api-study-figure",
    ),
    path("studies/<slug:slug>/paper-pack/", api_results.PaperPackView.as_view(), name="api-study-paper-pack"),
    path("studies/<slug:slug>/people/", api_people.PeopleView.as_view(), name="api-study-people"),
    path(
        "studies/<slug:slug>/people/<uuid:annotator>/",
        api_people.PersonView.as_view(),
        name="api-study-person",
    ),
    path(
        "studies/<slug:slug>/people/refresh/",
        api_pairs.RefreshView.as_view(),
        name="api-study-people-refresh",
    ),
    path("studies/<slug:slug>/pairs/", api_pairs.PairsView.as_view(), name="api-study-pairs"),
    path(
        "studies/<slug:slug>/pairs/<int:pair>/known/", api_pairs.KnownView.as_view(), name="api-study-known"
    ),
    path(
        "studies/<slug:slug>/pairs/<int:pair>/put-back/",
        api_pairs.PutBackView.as_view(),
        name="api-study-pair-back",
    ),
    path(
        "studies/<slug:slug>/reconstructions/",
        api_pairs.ReconstructionsView.as_view(),
        name="api-study-reconstructions",
    ),
    path("studies/<slug:slug>/panel/", api_people.PanelView.as_view(), name="api-study-panel"),
    path("studies/<slug:slug>/panel/returned/", api_people.ReturnedView.as_view(), name="api-study-returned"),
    path("studies/<slug:slug>/flags/", api_people.FlagsView.as_view(), name="api-study-flags"),
    path("studies/<slug:slug>/flags/<int:pair>/", api_people.SettleView.as_view(), name="api-study-settle"),
    path(
        "studies/<slug:slug>/questionnaire/",
        api_people.QuestionnaireView.as_view(),
        name="api-study-questionnaire",
    ),
    path("studies/<slug:slug>/progress/", api_running.StudyProgressView.as_view(), name="api-study-progress"),
    path(
        "studies/<slug:slug>/photographs/",
        api_running.PhotographsView.as_view(),
        name="api-study-photographs",
    ),
    path("studies/<slug:slug>/copy/", api_running.CopyView.as_view(), name="api-study-copy"),
    path("studies/<slug:slug>/archive/", api_running.ArchiveView.as_view(), name="api-study-archive"),
    path("studies/<slug:slug>/delete/", api_running.DraftDeletionView.as_view(), name="api-study-delete"),
    path("studies/<slug:slug>/codecs/", api_running.CodecsView.as_view(), name="api-study-codecs"),
    path("studies/<slug:slug>/retry/", api_running.RetryView.as_view(), name="api-study-retry"),
    path("studies/<slug:slug>/judgments/", api_running.JudgmentsView.as_view(), name="api-study-judgments"),
    path(
        "studies/<slug:slug>/invitations/",
        api_members.InvitationsView.as_view(),
        name="api-study-invitations",
    ),
    path("studies/<slug:slug>/members/", api_members.MembersView.as_view(), name="api-study-members"),
    path(
        "studies/<slug:slug>/members/set/", api_members.SetMemberView.as_view(), name="api-study-member-set"
    ),
    path(
        "studies/<slug:slug>/results-links/", api_members.ResultsLinksView.as_view(), name="api-study-share"
    ),
    path(
        "studies/<slug:slug>/results-links/<int:pk>/take-back/",
        api_members.RevokeLinkView.as_view(),
        name="api-study-share-end",
    ),
    path("plan/", api_results.PlanView.as_view(), name="api-plan"),
    *router.urls,
]
