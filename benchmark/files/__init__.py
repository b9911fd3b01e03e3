"""Files as the harness writes and reads them: whole or not at all, sealed with digests, checked."""
