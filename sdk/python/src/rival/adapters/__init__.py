"""Environments of other packages as batches; each imports its package when it is asked for."""
