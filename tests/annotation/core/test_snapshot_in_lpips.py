"""The `lpips` package scores a metric on a snapshot, through a loader that keeps its conventions."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from annotation.core.formats.bapps import write_bapps
from annotation.core.formats.rows import SnapshotRows
from annotation.core.splits import SPLITS
from tests.annotation.core.snapshots import EXTRA, make_judgment, make_png, make_rows
from tests.kit.reference_lpips import import_lpips

lpips = import_lpips()

# make_rows gives every split four triplets; the votes of each, as p0 and p1.
VOTES = [(4, 0), (3, 1), (1, 3), (0, 4)]


class TwoAlternatives(Dataset[dict[str, torch.Tensor]]):
    """Reads ref, p0, p1 and judge side by side in the order of their names, at 64 pixels, as values in -1..1."""

    def __init__(self, folder: Path) -> None:
        self.columns = [sorted((folder / part).iterdir()) for part in ("ref", "p0", "p1", "judge")]

    def __len__(self) -> int:
        return len(self.columns[0])

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        *images, judge = (column[index] for column in self.columns)
        read = dict(zip(("ref", "p0", "p1"), map(self._picture, images), strict=True))
        return read | {"judge": torch.from_numpy(np.load(judge).reshape(1, 1, 1))}

    def _picture(self, path: Path) -> torch.Tensor:
        from torchvision import transforms

        steps = [transforms.Resize(64), transforms.ToTensor(), transforms.Normalize((0.5,) * 3, (0.5,) * 3)]
        with Image.open(path) as image:
            return transforms.Compose(steps)(image.convert("RGB"))


class Loader:
    """What `score_2afc_dataset` asks of a loader."""

    def __init__(self, folder: Path) -> None:
        self.batches = DataLoader(TwoAlternatives(folder), batch_size=3, shuffle=False)

    def load_data(self) -> Iterator[dict[str, torch.Tensor]]:
        return iter(self.batches)


def squared_distance(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return ((one - other) ** 2).mean(dim=(1, 2, 3))


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    rows = make_rows()
    triplets = list(rows.triplets)
    judgments = [
        make_judgment(triplet, number, choice)
        for place, triplet in enumerate(sorted(triplets, key=lambda row: row.key))
        for number, choice in enumerate(["p0"] * VOTES[place % 4][0] + ["p1"] * VOTES[place % 4][1])
    ]
    rows = SnapshotRows(rows.sources, triplets, judgments)
    write_bapps(tmp_path / "snapshot", rows, EXTRA, open_image=lambda key: make_png(key, 80, 64))
    return tmp_path / "snapshot"


def expected_score(folder: Path) -> float:
    """Share of votes that agree with the squared distance, from the files without the package."""

    def picture(part: str, name: str) -> np.ndarray:
        return np.asarray(Image.open(folder / part / f"{name}.png"), dtype=float)

    scores = []
    for path in sorted((folder / "judge").iterdir()):
        judge = float(np.load(path)[0])
        far0, far1 = (
            np.mean((picture(part, path.stem) - picture("ref", path.stem)) ** 2) for part in ("p0", "p1")
        )
        scores.append(1 - judge if far0 < far1 else judge)
    return float(np.mean(scores))


@pytest.mark.parametrize("split", SPLITS)
def test_the_package_scores_each_split(snapshot: Path, split: str) -> None:
    score, result = lpips.score_2afc_dataset(Loader(snapshot / split), squared_distance, name=split)
    judges = [float(np.load(path)[0]) for path in sorted((snapshot / split / "judge").iterdir())]
    assert result["gts"].tolist() == judges
    assert set(judges) <= {0.0, 0.25, 0.75, 1.0} and len(judges) == 4
    assert score == pytest.approx(expected_score(snapshot / split))
