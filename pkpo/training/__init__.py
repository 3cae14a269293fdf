"""Training: the loop, whole runs as arrays, optimizers, policies, and the tasks that are learned."""
