"""Classifiers: architectures, modes, labels and checkpoints; and the LSTM of learned parts."""
