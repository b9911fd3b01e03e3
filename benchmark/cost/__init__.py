"""The GFLOPs rules: what an op costs, what executes, and which video pays for it."""
