"""The saga step ``thumbnail``: thumbnail, poster, sprite and waveform of a file.

* ``step``: create and store the missing images.
* ``plan``: decide which images a file should have and which of them are missing.

The WebVTT that maps a sprite to a time line is in ``playback.sprites``.
"""
