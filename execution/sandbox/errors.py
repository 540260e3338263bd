"""Failures that are ours. What a program does wrong is an `Outcome`, never one of these.

SandboxError
├── SandboxUnavailable   no supervisor, no room in time, or a host that cannot enforce a limit
├── ToolchainMissing     the compiler is not installed on this host
├── ContextUnknown       no such context, for this customer
├── ContextEnded         it has lost its state, and waits to be restarted
├── ContextsFull         no room for another one
├── ContextBusy          too many cells wait for it
├── ContextFileUnknown   no such file in its work dir
└── ContextFileRefused   what cannot be done with a file
"""


class SandboxError(Exception):
    """The run could not be carried out; it is not billed. The text says what happened and what to do."""


class SandboxUnavailable(SandboxError):
    """Nothing was started. The same run may succeed later."""


class ToolchainMissing(SandboxError):
    """No toolchain for the job's compiler is installed here."""


class ContextUnknown(SandboxError):
    """There is no such context here, or it is somebody else's, or it has expired."""


class ContextEnded(SandboxError):
    """The context's kernel has ended, with all its state, and nothing was run."""


class ContextsFull(SandboxError):
    """The customer has as many live contexts as are allowed, or the host has."""


class ContextBusy(SandboxError):
    """Too many cells wait for this context already."""


class ContextFileUnknown(SandboxError):
    """There is no such file in the context's work dir."""


class ContextFileRefused(SandboxError):
    """The file cannot be read, written or removed; the text says why."""
