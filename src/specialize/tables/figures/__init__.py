"""Figures: losses and scores by epoch, what each method gains and where, and scores beside the paper's."""
