"""Addresses of metric's JSON endpoints, below /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from metric import api

router = SimpleRouter()
router.register("metric-versions", api.MetricVersionViewSet, basename="api-metric-version")
router.register("codec-trainings", api.CodecTrainingViewSet, basename="api-codec-training")
router.register("training-runs", api.TrainingRunViewSet, basename="api-training-run")

urlpatterns = [
    # With and without the slash: a POST cannot be redirected to the other form.
    path("distance", api.Distance.as_view(), name="distance"),
    path("distance/", api.DistanceWithSlash.as_view(), name="distance-with-slash"),
    path("preference", api.Preference.as_view(), name="preference"),
    *router.urls,
]
