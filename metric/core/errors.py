"""Errors whose message is for the person who gave the input; anything else is a fault of the program."""


class InputError(ValueError):
    """A file, a picture or a setting cannot be used; the message says what to do."""


class Unavailable(RuntimeError):
    """Weights, a package, a server or a process that is needed is not there; the message says how to get it."""
