"""The figures of the paper, and others in the same style."""
