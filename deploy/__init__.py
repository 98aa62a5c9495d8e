"""Run MetaStore as several processes: in containers (``compose.yaml``) or as plain processes (``local``)."""
