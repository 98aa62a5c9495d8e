"""The media tools: probe files and create thumbnails, sprites and waveforms in sandboxed child processes.

* ``sandboxed_tools``: the implementation of the port; runs each task in a child process of the sandbox.
* ``av``: video and audio, with FFmpeg's libraries. Only the listed container formats can be opened; playlists, which
  refer to other addresses, are not among them.
* ``images``: raster images with libvips, HEIC with libheif, SVG with librsvg.
* ``documents``: PDF with PDFium; office documents are first converted to PDF by LibreOffice if it is installed.
* ``limits``, ``webp``: shared by the tasks.

Nothing is imported here: a child process would load it before its task, which would take longer than a small thumbnail.
"""
