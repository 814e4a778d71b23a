"""The demo world: simulated stations and a simulated eMSP around the real house, reached only through its doors."""

from app.demo.clearing import clear
from app.demo.stage import Demo

__all__ = ["Demo", "clear"]
