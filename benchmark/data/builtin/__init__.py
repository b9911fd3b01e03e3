"""Built-in videos with known answers: generated from a seed, every cue's frames on record."""
