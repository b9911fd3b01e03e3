"""The manifest of a dataset: its videos, labels and splits, checked once."""
