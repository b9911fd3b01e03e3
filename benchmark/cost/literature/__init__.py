"""What the networks of published papers cost, counted by our rule."""
