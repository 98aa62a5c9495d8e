"""Process shells without decisions: HTTP, the object data plane, sockets, the command line."""
