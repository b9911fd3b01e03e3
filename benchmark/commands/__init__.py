"""The commands of `python -m benchmark`, a file for each."""
