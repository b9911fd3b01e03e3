"""Whether every number of every table still follows from the files that it was made of."""
