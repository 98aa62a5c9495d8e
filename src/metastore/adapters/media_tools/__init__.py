"""Media tools that work in child processes, one for each question.

A child (``child``) begins by giving up what it does not need: it dies with its parent, has limits of memory and
processor time, writes no file, and once its libraries are loaded can open nothing more, be it file or socket. It asks
us for the bytes that it wants to see, block by block, over its pipes, so that a film of any size need be neither
copied nor reachable. We limit the time, how much it may see, and how much it may answer.

Pictures are read by libvips, HEIC by libheif where libvips cannot, films by FFmpeg's libraries with the formats named
that may be read: playlists, which lead to other addresses, are not among them.
"""

from metastore.adapters.media_tools.process import ChildProcessTools

__all__ = ["ChildProcessTools"]
