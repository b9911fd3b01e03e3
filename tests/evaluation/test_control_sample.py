"""Exit controls see all training videos, or a sample that depends on nothing but their ids."""

from benchmark.evaluation.predict import control_sample

IDS = [f"v{number:03d}" for number in range(200)]


def test_few_videos_are_all_taken():
    assert control_sample(IDS) == IDS
    assert control_sample(IDS, count=200) == IDS


def test_of_many_a_sample_is_taken_in_their_order():
    some = control_sample(IDS, count=50)
    assert len(set(some)) == 50
    assert some == [video for video in IDS if video in some]
    assert sorted(control_sample(IDS[::-1], count=50)) == some
    assert some != IDS[:50]
    # Who is chosen does not depend on whether another video was readable.
    others = control_sample([video for video in IDS if video != some[0]], count=50)
    assert len(set(some) & set(others)) == 49
