"""Many stations at once: memory of idle ones, a reconnect storm, answers at a steady load."""
