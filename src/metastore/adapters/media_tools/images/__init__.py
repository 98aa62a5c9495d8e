"""Images. Imports nothing: a child process would load it before its task.

* ``raster``: JPEG, PNG, WebP, GIF, TIFF, AVIF and BMP, with libvips and Pillow; ``raster_tasks`` are its sandbox tasks.
* ``heic``: HEIC, with libheif.
* ``svg``: SVG, with librsvg; ``svg_tasks`` are its sandbox tasks.
"""
