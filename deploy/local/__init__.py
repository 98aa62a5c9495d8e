"""The scale-out profile as plain processes on one machine: ``make up-local`` or ``python -m deploy.local``.

PostgreSQL, Redis, RabbitMQ, an S3 server (SeaweedFS) and nginx run as private instances that share nothing with other
servers on the machine. All data is kept in one folder. On top of them run two API processes, a relay and a worker.
Everything listens on the loopback interface only. Passwords are generated once and kept in the folder.

Every process is a child in a session of its own. Ctrl-C therefore reaches only this program, which stops the children
in the right order. The kernel kills them when this program itself is killed.

* ``stack``: the whole stack. ``servers``: PostgreSQL, Redis, RabbitMQ and SeaweedFS. ``gateway``: nginx.
* ``processes``: child processes. ``ports``: free ports.
"""
