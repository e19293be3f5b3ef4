"""Large pictures: our distance is the package's at four thousand pixels too."""

import pytest
import torch

from metric.core import LPIPS
from tests.kit.reference_lpips import import_lpips


@pytest.mark.slow
def test_a_picture_of_4k(alex: LPIPS) -> None:
    with pytest.warns(UserWarning, match="pretrained|weights"):
        theirs = import_lpips().LPIPS(net="alex", pnet_rand=True, verbose=False)
    theirs.net.load_state_dict(alex.net.state_dict())
    rng = torch.Generator().manual_seed(0)
    a = torch.rand(1, 3, 2160, 3840, generator=rng) * 2 - 1
    b = (a + 0.1 * torch.randn(a.shape, generator=rng)).clamp(-1, 1)
    with torch.no_grad():
        assert float(alex(a, b)) == pytest.approx(float(theirs(a, b)), rel=1e-4)
