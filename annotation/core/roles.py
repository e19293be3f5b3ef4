"""Permissions in a study: pure functions of a role."""

from enum import IntEnum


class Reach(IntEnum):
    """What a page or an endpoint needs; each reach holds those below it."""

    RESULTS = 1
    DATA = 2
    RUN = 3
    OWN = 4


ROLES: dict[str, Reach] = {
    "viewer": Reach.RESULTS,
    "analyst": Reach.DATA,
    "editor": Reach.RUN,
    "owner": Reach.OWN,
}
ABOUT = {
    "viewer": "results only",
    "analyst": "results and data, without personal links",
    "editor": "runs the study",
    "owner": "everything, including members",
}
NEEDS = {
    Reach.RESULTS: "a member",
    Reach.DATA: "an analyst, an editor or an owner",
    Reach.RUN: "an editor or an owner",
    Reach.OWN: "an owner",
}


def roles_with(reach: Reach) -> list[str]:
    """The roles that reach so far."""
    return [role for role, its in ROLES.items() if its >= reach]
