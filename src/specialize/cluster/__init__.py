"""What only a SLURM cluster needs."""
