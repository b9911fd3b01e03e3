"""The paper's twelve claims, each put to a test with numbers that were fixed beforehand."""
