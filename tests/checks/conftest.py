"""What the tests of the checks share."""

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread_in_a_folder_of_its_own(tmp_path, monkeypatch):
    """Tensors this small are faster on one thread; wrong methods write where they stand."""
    monkeypatch.chdir(tmp_path)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
