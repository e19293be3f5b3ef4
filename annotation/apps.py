"""The annotation app: who judged what."""

from django.apps import AppConfig


class AnnotationConfig(AppConfig):
    """Studies, their stimuli, and people's judgments of them."""

    name = "annotation"
    default_auto_field = "django.db.models.BigAutoField"
