"""Which runs, rows and artefacts a profile has, and where every file of them lies."""
