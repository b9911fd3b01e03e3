import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GroupKFold

from benchmark.data.manifest.folds import assign_folds
from benchmark.errors import BenchmarkError


@pytest.mark.parametrize("num_folds", [2, 3, 5])
def test_no_group_is_on_both_sides_and_folds_are_as_even_as_scikit_learns(num_folds):
    rng = np.random.default_rng(num_folds)
    groups = pd.Series([f"camera{g}" for g in rng.geometric(0.1, size=400)])
    folds = assign_folds(groups, num_folds)
    assert pd.Series(folds).groupby(groups.to_numpy()).nunique().max() == 1
    theirs = [len(test) for _, test in GroupKFold(num_folds).split(groups, groups=groups)]
    assert sorted(np.bincount(folds, minlength=num_folds)) == sorted(theirs)


def test_folds_do_not_depend_on_the_order_of_the_videos():
    groups = pd.Series(list("aabbccddee"))
    shuffled = groups.sample(frac=1, random_state=0)
    again = pd.Series(assign_folds(shuffled, 3), index=shuffled.index).sort_index()
    assert again.tolist() == assign_folds(groups, 3).tolist()


def test_fewer_groups_than_folds_is_an_error():
    with pytest.raises(BenchmarkError, match="2 groups cannot be dealt into 3 folds"):
        assign_folds(pd.Series(["a", "a", "b"]), 3)
