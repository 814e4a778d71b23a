"""The opened database: engines, ordinary doors, gate, stamps, column types, and why it says no."""
