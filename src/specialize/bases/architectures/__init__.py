"""Architectures: how a model is loaded and made, how much it reads, where its head is, what of it decays."""

from specialize.bases.architectures.architecture import Architecture
from specialize.bases.architectures.known import architecture_of, architecture_to_make, known_architectures

__all__ = ["Architecture", "architecture_of", "architecture_to_make", "known_architectures"]
