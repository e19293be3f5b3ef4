"""The one refusal of a picture."""


class PhotographError(ValueError):
    """A file that can't become a source. The message says what is wrong and what to do."""
