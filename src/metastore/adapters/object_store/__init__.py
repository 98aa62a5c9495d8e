"""Adapters of the ``object_store`` port.

* ``local``: a folder that the product serves itself.
* ``s3``: a bucket on any S3-compatible server.
"""
