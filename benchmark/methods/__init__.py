"""The methods' folders: how they are found, what their manifests say, how their code is loaded."""
