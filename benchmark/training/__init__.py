"""Training: the loop, its schedules, and checkpoints that are shared where they may be."""
