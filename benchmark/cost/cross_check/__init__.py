"""Other libraries' counts, held against ours."""
