"""The text that annotators read before the first pair, worded for the layout that they will see."""

from annotation.core.languages import translatable

DEFAULT_INSTRUCTIONS = {
    "side": translatable(
        "You will see three pictures. The one in the middle is the original photograph; the other two were "
        "compressed. Choose the one that is closer to the original. Look at what seems different, not at which one "
        "you like better. There is no right answer and no hurry."
    ),
    "toggle": translatable(
        "You will see one picture at a time: the original photograph, and two compressed versions of it, A and B. "
        "Switch between them by the keys or the buttons, in the same place, and look at each of them. Choose the one, "
        "A or B, that is closer to the original. Look at what seems different, not at which one you like better. "
        "There is no right answer and no hurry."
    ),
    "flicker": translatable(
        "You will see two pictures in one place, taking turns: the original photograph and a compressed version of "
        "it, A or B. Where they differ, the picture flickers. Switch between A and B, and choose the one that "
        "flickers less: it is closer to the original. There is no right answer and no hurry."
    ),
}


def fitting(instructions: str, layout: str) -> str:
    """The instructions for a layout: the default of another layout becomes this one's; others stay as they are."""
    written = " ".join(instructions.split())
    return DEFAULT_INSTRUCTIONS[layout] if written in DEFAULT_INSTRUCTIONS.values() else instructions
