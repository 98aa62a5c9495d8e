"""The scale-out profile as plain processes on the loopback: ``make up-local``, or ``python -m deploy.local``.

PostgreSQL, Redis, RabbitMQ, an S3 server (SeaweedFS) and nginx run as private instances with their data in one folder,
whatever else runs on the machine; before them stand two API processes, a relay and a worker. Nothing listens beyond the
loopback. Passwords are made once and kept in the folder.

Every process is a child in a session of its own, so that a Ctrl-C reaches the program alone, which ends them by their
ids in good order; the kernel ends them when the program itself is killed.
"""
