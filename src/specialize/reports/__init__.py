"""What draws on several stages: the diagnosis before training, and models to share."""
