"""Video renditions: remuxed or encoded. Imports nothing: a child process would load it before its task.

* ``remuxer``: copy H.264 without encoding, cut at keyframes.
* ``ladder_encoder``: decode once and encode all rungs.
* ``rung_encoder``: encode one rung; ``encoder_thread`` runs its encoder.
* ``filter_graph``: scale, rotate and deinterlace frames for all rungs; ``colour_mapping`` says which colours
  need mapping, and ``tone_mapping`` computes the tables that map HDR to SDR.
* ``segment_boundaries``: where segments start.
* ``presentation_times`` and ``decode_timestamps``: the PTS of decoded frames, and the DTS of samples.
"""
