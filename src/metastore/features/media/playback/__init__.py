"""Playing and previewing files: everything behind the feature's endpoints.

* ``streaming``: find a playable file and return its stream, playlists, sprite and subtitles.
* ``previews``: what the file viewer needs to show a file.
* ``playlists``: HLS master and media playlists as text.
* ``sidecars``: the subtitle files beside a video; ``subtitles`` converts them to WebVTT.
* ``sprites``: the WebVTT that maps a sprite to a player's time line; ``webvtt`` formats its timestamps.
* ``text_preview``: excerpts of text files; ``text_decoding`` guesses their encoding.
* ``queries``: the SQL statements of all these.
* ``schemas``: the API shapes.
"""
