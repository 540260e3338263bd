from tests.execution.conftest import api

__all__ = ["api"]
