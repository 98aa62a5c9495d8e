"""Adapters of the ``object_store`` port.

``local`` is a folder that the product serves itself; ``s3`` is any S3-compatible server.
"""
