"""OCPP 1.6-J: its words and messages, in both directions."""
