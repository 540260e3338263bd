"""The endpoints by subject: each module has its `OPERATIONS`, in the order of the reference, and its `SCHEMAS`."""
