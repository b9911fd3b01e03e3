"""Begins a new method: a folder that runs, passes its checks and stands in the tables as it is.

`my_method` holds the files that are copied; they are real ones, linted and checked like any method.
"""
