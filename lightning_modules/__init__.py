"""PyTorch Lightning modules: victims and meta-training."""
