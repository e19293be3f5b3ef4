"""What Mechanical Turk shows of a study: a page in its frame that opens the study and hands the code in."""

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext

from annotation.models import Study
from annotation.services.panels import MTURK_PREVIEW

SCHEMA = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2011-11-11/HTMLQuestion.xsd"
FRAME_HEIGHT = 600


def mturk_page(study: Study, door: str) -> str:
    """The page as HTML, in the study's language: a link with the worker's ids, a field for the code, a button.

    It is shown by Mechanical Turk, with `assignmentId`, `workerId`, `hitId` and `turkSubmitTo` in its address, and
    sends its form to `/mturk/externalSubmit` there. `door`: the study's bare link.
    """
    with translation.override(study.language):
        words = {
            "accept": gettext("Accept the task first; the link to the study then appears here."),
            "open": gettext("The study opens in a window of its own. At its end it shows a code."),
            "link": gettext("Open the study"),
            "code": gettext("Code from the end of the study:"),
            "submit": gettext("Submit"),
        }
        context = {"study": study, "door": door, "words": words, "preview": MTURK_PREVIEW}
        return render_to_string("annotation/mturk_task.html", context)


def html_question(page: str) -> str:
    """The page as the Question of a HIT, for Mechanical Turk's API (CreateHIT)."""
    content = page.replace("]]>", "]]]]><![CDATA[>")
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<HTMLQuestion xmlns="{SCHEMA}">\n<HTMLContent><![CDATA[{content}]]>'
        f"</HTMLContent>\n<FrameHeight>{FRAME_HEIGHT}</FrameHeight>\n</HTMLQuestion>\n"
    )
