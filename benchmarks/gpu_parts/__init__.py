"""The parts of `benchmarks/gpu.py`, in a folder of their own since they are many."""
