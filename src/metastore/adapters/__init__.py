"""The ports' implementations, one folder a port. Drivers are imported here and nowhere else."""
