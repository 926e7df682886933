"""Finetuning: POS tagging, named-entity recognition and dependency parsing on a pretrained encoder."""
