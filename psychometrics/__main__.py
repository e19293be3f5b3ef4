"""`python -m psychometrics`: see psychometrics/command.py."""

from __future__ import annotations

import sys

from psychometrics.command import main

if __name__ == "__main__":
    sys.exit(main())
