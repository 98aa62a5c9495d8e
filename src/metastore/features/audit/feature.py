"""The audit feature, as ``bootstrap`` installs it."""

from metastore.features.audit.consumers import consumers
from metastore.features.audit.endpoints import router
from metastore.features.audit.service import AuditService
from metastore.kit.feature import Feature


def audit_feature() -> Feature:
    """Build the feature."""
    audit = AuditService()
    return Feature("audit", routers=[router], services=[audit], consumers=consumers(audit))
