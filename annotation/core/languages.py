"""The languages of the pages for annotators, and texts that studies begin with."""

# By the tag that the page's `lang` has: each language in its own words.
LANGUAGES = {"en": "English", "de": "Deutsch", "es": "Español", "zh-hans": "简体中文"}
# The texts in the code are in it, and so is every page for researchers.
SOURCE_LANGUAGE = "en"


def translatable(text: str) -> str:
    """Marks a default text of studies for the catalogues; the text itself.

    A study keeps it as it stands here. Pages show its translation where the study's researcher changed nothing.
    """
    return text
