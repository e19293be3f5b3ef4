"""The annotation app: who judged what."""

from django.apps import AppConfig
from django.core.checks import register


class AnnotationConfig(AppConfig):
    """Studies, their stimuli, and people's judgments of them."""

    name = "annotation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Codecs that were trained on this site are found by their names, wherever the zoo is asked."""
        from annotation.languages import check_catalogues
        from annotation.services.codec_versions import provide
        from codecs_zoo import registry

        registry.add_provider(provide)
        register(check_catalogues)
