"""The errors that a command answers with a sentence and exit status 2; any other one is a fault of the program."""

from annotation.core.formats.plain import AnswersError as PicturesAnswersError
from imaging.errors import PhotographError
from imaging.folders import FolderError
from imaging.manifest import ManifestError
from metric.core.errors import InputError
from psychometrics.comparisons import ScaleError
from psychometrics.conditions import AnswersError
from psychometrics.tables import TableError

BAD_INPUT = (
    InputError,
    AnswersError,
    PicturesAnswersError,
    TableError,
    ScaleError,
    PhotographError,
    FolderError,
    ManifestError,
)
