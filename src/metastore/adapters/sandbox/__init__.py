"""Work on bytes that may have been made to do harm, in a child process for each piece of it.

A child (``child``) begins by giving up what it does not need: it dies with its parent, has limits of memory and
processor time, writes no file, and once the libraries of its task are loaded can open nothing more, be it file or
socket. It asks us for the bytes that it wants to see, block by block, over its pipes, so that a source of any size need
be neither copied nor reachable. We (``process``) limit how long it takes and is silent, how much it sees, and how much
it says.

A **task** is a function of a module of an adapter, named ``package.module:function``; it is called with the source, a
way to ``emit`` what it makes, and the arguments given, which are JSON. Its module must have loaded all that it needs
once it is imported, and should stay with one family of libraries: others then cannot be attacked.
"""
