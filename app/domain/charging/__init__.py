"""What a station's message makes of a transaction, a session and its bill: pure decisions, from plug to stop."""
