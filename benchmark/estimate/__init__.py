"""What a profile will take, before anything runs: videos, disk, MACs and hours of each stage."""
