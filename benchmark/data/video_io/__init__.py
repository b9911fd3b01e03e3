"""Video files: what they hold, and the frames that can be shown of them."""
