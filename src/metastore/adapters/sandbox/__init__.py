"""Run work on untrusted bytes in child processes with tight limits, one process for each task.

The child (``child``) drops what it does not need before it starts: it dies with its parent, has limits on memory and
processor time, cannot write files and, once the libraries of its task are loaded, cannot open files or sockets. It
requests the bytes that it needs from the parent, block by block, over its pipes. A source of any size is therefore
neither copied nor reachable by other means. Children are forked from a process that has loaded the libraries, but sees
no sources; each handles one source and ends. The parent (``supervisor``) limits the running time, the time without any
message, the bytes that the child may read and the bytes that it may return.

A **task** is a function in an adapter's module, named ``package.module:function``. It is called with the source, a
callback ``emit`` for results, and JSON arguments. Importing the module must load everything that the task needs. Each
module should use one family of libraries, so that a hostile file cannot attack the others.

* ``supervisor``, ``child``: the two processes. ``protocol``: the messages between them.
* ``children``: start child processes. ``fork_client``, ``fork_server``: fork them from a process that has loaded their
  libraries.
* ``source_file``: the source as a file in the child. ``read_ahead``: the parent's reads for it.
* ``scheduling``: the child's share of the processors. ``time_limit``: limits that do not count its wait for one.
* ``seccomp``: the filter of system calls.
* ``errors``: exceptions of tasks. ``containers``, ``orientation``: FFmpeg functions that several tasks use.
"""
