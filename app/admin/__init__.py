"""The operator's REST API: everything that is set up, looked at and decided by hand, under /admin/v1."""
