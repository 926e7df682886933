"""Training: the loop, the optimizer and its schedules, checkpoints, seeds and devices."""
