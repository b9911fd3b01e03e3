"""Prediction runs, metrics, statistics."""
