"""The words that a study starts from, and the version that a text is known by."""

import hashlib

from annotation.core.languages import translatable

DEFAULT_CONSENT = translatable("""\
This is a research study on how people see compressed photographs. You will compare pictures on your own screen.

We record your answers, when you gave them, the size and settings of your browser window, and the results of the short \
checks that come first. We do not ask for your name, and we do not keep your internet address.

Your answers may be published as part of a dataset in which you appear only as a random number.

Taking part is your free choice. You can stop at any time by closing the page. To have your answers deleted, send the \
person who invited you the number that stands at the foot of each page.""")

DEFAULT_DEBRIEF = translatable("""\
Your answers help to measure how visible the errors of image compression are, and to build compression that \
people find closer to the original. Some pairs had a known answer or came twice: they tell how far answers \
can be trusted.""")
# The debrief of studies from when it ended with thanks, as the heading above it does: still translated.
FIRST_DEFAULT_DEBRIEF = translatable("""\
Thank you. Your answers help to measure how visible the errors of image compression are, and to build compression that \
people find closer to the original. Some pairs had a known answer or came twice: they tell how far answers \
can be trusted.""")


def text_version(text: str) -> str:
    """The name of a text's exact wording: the first 12 hex digits of its sha256."""
    return hashlib.sha256(text.strip().encode()).hexdigest()[:12]
