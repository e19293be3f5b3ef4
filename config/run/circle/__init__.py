"""The circle, unattended: photographs, reconstructions, simulated judgments, a metric, a table, a promotion."""


class StageFailed(Exception):
    """A stage did not happen; the message says why."""
