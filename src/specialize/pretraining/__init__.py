"""Masked-language-model pretraining: of a base model, of a monolingual one, or further on one language."""
