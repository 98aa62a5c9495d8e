"""Media tools that work in the sandbox's child processes, one for each question.

Pictures and drawings are read by libvips, HEIC by libheif, PDF by PDFium, films and sounds by FFmpeg's libraries with
the formats named that may be read: playlists, which lead to other addresses, are not among them. Office documents are
made into PDF by LibreOffice, where it is installed, in namespaces of its own (``office``).

``tools`` is the parent's side. Nothing is imported here: a child would load it before its task, and that took it longer
than a small picture does.
"""
