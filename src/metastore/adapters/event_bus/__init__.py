"""Event buses: ``inprocess`` keeps its queues in the product's own database."""
