"""The settings of a profile: their schema, how they are loaded, and what can be wrong with them."""
