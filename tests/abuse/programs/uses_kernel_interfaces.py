# Calls the interfaces through which kernels were broken into.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
CALLS = {
    "bpf": (321, 0, 0, 0), "perf_event_open": (298, 0, 0, -1, -1, 0), "io_uring_setup": (425, 8, 0),
    "io_uring_enter": (426, 0, 0, 0, 0, 0, 0), "io_uring_register": (427, 0, 0, 0, 0), "userfaultfd": (323, 1),
    "kexec_load": (246, 0, 0, 0, 0), "kexec_file_load": (320, 0, 0, 0, 0, 0), "init_module": (175, 0, 0, 0),
    "finit_module": (313, 0, 0, 0), "delete_module": (176, b"x", 0), "open_by_handle_at": (304, -100, 0, 0),
    "name_to_handle_at": (303, -100, b"/", 0, 0, 0), "quotactl": (179, 0, 0, 0, 0), "acct": (163, 0),
    "swapon": (167, b"/work/x", 0), "iopl": (172, 3), "ioperm": (173, 0, 1, 1), "fanotify_init": (300, 0, 0),
    "lookup_dcookie": (212, 0, 0, 0), "modify_ldt": (154, 0, 0, 0), "vmsplice to a bad pipe": (278, -1, 0, 0, 0),
    "move_pages": (279, 1, 0, 0, 0, 0, 0), "process_madvise": (440, 0, 0, 0, 0, 0), "memfd_secret": (447, 0),
    "set_mempolicy_home_node": (450, 0, 0, 0, 0), "uselib": (134, b"/x"), "ustat": (136, 0, 0),
}  # fmt: skip
for name, arguments in CALLS.items():
    result = libc.syscall(*arguments)
    print(f"{name}:", "ALLOWED" if result >= 0 else f"refused {ctypes.get_errno()}")
print("done")
