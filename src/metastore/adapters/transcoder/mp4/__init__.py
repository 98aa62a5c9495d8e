"""Fragmented MP4 output. Imports nothing: a child process would load it before its task.

* ``muxer``: init segments and media segments as bytes.
* ``rendition_writer``: emit a rendition's segments to the parent process.
* ``codec_parameters``: codec configuration records, and codec names by RFC 6381.
"""
