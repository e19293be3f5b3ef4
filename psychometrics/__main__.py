"""Rank, agree, plan, convert: statistics of people's choices without a database or pixels.

    python -m psychometrics rank answers.csv
    python -m psychometrics agree answers.csv --json
    python -m psychometrics plan --conditions 6 --sources 20 --annotators 30 --votes 5
    python -m psychometrics convert responses.csv answers.csv

ANSWERS is a CSV with the columns source,a,b,choice and, where known, annotator,ms,level: a and b name conditions,
METHOD or METHOD@LEVEL or original, and choice is a, b or tie, the closer one. pwcmp's CSV, AIC-3 responses
(JPEG-AI-SDR25) and mucped23's answers are read as they are.
"""

from __future__ import annotations

import sys

from psychometrics.command import main

if __name__ == "__main__":
    sys.exit(main())
