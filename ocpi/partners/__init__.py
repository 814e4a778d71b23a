"""Whom we exchange with: partners, their tokens and endpoints, and the handshake that makes them."""
