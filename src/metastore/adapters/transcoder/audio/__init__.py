"""Audio renditions. Imports nothing: a child process would load it before its task.

* ``tracks``: copy AAC, or encode anything else as stereo AAC.
* ``downmix``: convert any channel layout to stereo.
"""
