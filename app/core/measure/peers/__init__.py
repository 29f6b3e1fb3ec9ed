"""The two sides of a test: the initiator that asks and the responder that answers."""
