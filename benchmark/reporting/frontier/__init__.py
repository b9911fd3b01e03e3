"""Accuracy against cost over all thresholds of methods that exit early."""
