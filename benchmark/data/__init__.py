"""Manifests, decoding, the frame store and the built-in videos."""
