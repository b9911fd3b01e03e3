"""Stored sound, for networks whose input is audio."""
