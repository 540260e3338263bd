# Dies with a core dump, after asking for one of any size.
import os
import resource
import signal

try:
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
except (OSError, ValueError):
    pass
os.kill(os.getpid(), signal.SIGQUIT)
