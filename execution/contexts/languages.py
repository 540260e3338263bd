"""The languages of contexts, by the names that clients may call them."""

from typing import Final

KERNEL_OF: Final = {
    "python": "python",
    "py": "python",
    "python3": "python",
    "typescript": "typescript",
    "ts": "typescript",
    "javascript": "typescript",
    "js": "typescript",
    "bun": "typescript",
    "node": "typescript",
}
"""Every name a client may use → the kernel that serves it."""

DEFAULT: Final = "python"
