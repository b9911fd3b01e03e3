"""Tables and figures: pure functions of results, same input, same bytes."""
