"""OCPP: sockets and translators between stations and the words of the house."""
