"""The mirror of finished runs in MLflow."""
