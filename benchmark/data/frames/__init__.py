"""Stored frames: sampled once from the videos, and read by everything that follows."""
