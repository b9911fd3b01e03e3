"""What the tests of the checks share."""

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    """Tensors this small are faster on one thread, as in the command."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
