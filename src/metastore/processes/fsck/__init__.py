"""The check: what the database says against what the store holds, both ways, and the counters against the rows.

It may run beside a product at work. So nothing is believed at first sight: a suspicion is looked at again after a
pause, then after a longer one, and only what is wrong each time is a finding. What may be on its way has time: objects
and multipart uploads younger than a grace period are left alone, as are objects whose deletion is in the outbox.

Nothing is ever held whole in memory: rows come in pages by id and the store's lists as they stream, and each page is
looked up on the other side.

Repair is careful with what belongs to people. A file whose bytes are gone or changed keeps its row and its object; it
is marked, no longer given out, and its owner is told; when its bytes are whole again (from a backup, say), the next
repair takes the mark away. Deleted is only what no row names.
"""

from metastore.processes.fsck.check import Check, Checked, Finding, Severity, look

__all__ = ["Check", "Checked", "Finding", "Severity", "look"]
