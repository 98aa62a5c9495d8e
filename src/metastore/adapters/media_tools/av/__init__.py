"""Video and audio, with FFmpeg's libraries. Imports nothing: a child process would load it before its task.

* ``tasks``: the sandbox tasks.
* ``demuxer``: open a container, decode frames, probe.
* ``frame_extraction``: thumbnails and sprites of videos, covers of audio files.
* ``waveform``: the peaks of an audio track.
* ``stream_copy``: which streams can be remuxed without encoding.
* ``language_tags``: BCP 47 tags for ISO 639-2 codes.
"""
