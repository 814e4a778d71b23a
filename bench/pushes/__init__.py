"""From a station's change of status to the PATCH at its partners."""
