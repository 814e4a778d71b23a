"""What passing a message on costs: the hub beside the same call made directly, and beside a relay of FastAPI and httpx."""
