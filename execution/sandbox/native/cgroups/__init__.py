"""Control groups: what bounds and measures a sandbox. Versions 1 and 2 of the kernel's interface behind one."""

from execution.sandbox.native.cgroups.interface import Cgroup, Hierarchy
from execution.sandbox.native.cgroups.v1 import HierarchyV1
from execution.sandbox.native.cgroups.v2 import HierarchyV2

__all__ = ["Cgroup", "Hierarchy", "HierarchyV1", "HierarchyV2", "find_hierarchy"]


def find_hierarchy(instance: str) -> Hierarchy:
    """The hierarchy of this host that has the memory, pids and cpu controllers, or SandboxUnavailable with the remedy.

    `instance` names this supervisor's own subtree, so that several on one host don't sweep each other's.
    """
    return HierarchyV2.find(instance) or HierarchyV1.find(instance)
