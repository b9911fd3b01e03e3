"""The same checks for every method: what a row of a table relies on, tried in seconds.

`python -m benchmark check` runs them, and so do the tests. They need no videos on disk: a small
world of videos in memory stands in for the stores of frames and features.
"""
