"""`python -m rival.worker GAME --listen ADDRESS`: plays a game for Rival (docs/formats/worker.md)."""
from ._worker import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
