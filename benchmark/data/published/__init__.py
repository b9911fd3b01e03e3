"""Datasets that publish lists of clips: ActivityNet, Kinetics and HVU."""
