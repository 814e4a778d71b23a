"""Tools that know no business: time, background tasks, periodic work, logs and metrics."""
