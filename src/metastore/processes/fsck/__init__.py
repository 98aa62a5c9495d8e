"""Consistency check of the database, the object store and the quota counters.

The check may run while the product is in use. A first suspicion is therefore not reported: it is confirmed after a
short delay and again after a longer one, and becomes a finding only if it holds each time. Work in progress gets time
to finish: objects and multipart uploads younger than a grace period are skipped, as are objects whose deletion is
pending in the outbox.

Memory use is constant: rows are read in pages by id, the store's listings are streamed, and each page is looked up on
the other side.

Repairs never delete user data. A file whose bytes are missing or changed keeps its row and its object. It is marked as
damaged, its downloads are refused, and its owner is notified. Once its bytes are whole again, for example restored from
a backup, the next repair removes the mark. Only what no row refers to, and what can be made again, is deleted.

Where to find what:

* ``check``: the interface of checks, and how a check is run.
* ``registry``: all checks, and the order in which they run.
* ``stored_files`` and ``stranded_files``: files without their bytes, and uploading files without an upload.
* ``multipart_uploads``: open uploads, compared with the multipart uploads of the store.
* ``orphan_objects`` and ``pending_deletions``: objects that no row refers to, and those about to be deleted.
* ``derived_objects`` and ``renditions``: thumbnails, previews, media records and renditions.
* ``quotas``, ``sagas`` and ``outbox``: wrong quota counters, stuck sagas and stuck events.
"""

from metastore.processes.fsck.check import Check, CheckResult, Finding, Severity, run_check

__all__ = ["Check", "CheckResult", "Finding", "Severity", "run_check"]
