"""Named feature extractors."""
