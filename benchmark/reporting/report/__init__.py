"""The report: one html file that can be sent by mail and opened without a network."""
