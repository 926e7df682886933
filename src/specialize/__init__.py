"""Specialize a multilingual language model to one low-resource language, and measure whether it helped."""

__version__ = "0.1.0"
