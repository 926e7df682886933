"""Base models: the architectures that they may have, and whether a folder has all of one that later stages read."""
