"""Ways to run MetaStore as many processes: containers (``compose.yaml``), or plain processes (``local``)."""
