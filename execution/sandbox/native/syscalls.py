"""The system calls a sandboxed program may make: an allow-list, shared by every driver.

What is not named is refused, so that a kernel's next call is closed until somebody opens it here. Named calls are
those that compilers, interpreters and ordinary programs make; what the kernel's own holes were reached through (BPF,
io_uring, user-fault handling, keyrings, perf events, modules, namespaces, mounts, page-cache pages in pipes) is left
out, and so is what shows or disturbs others: the toolchains' files are the same ones for every sandbox, so a watch on
them (inotify) tells what a neighbour reads. Calls that depend on their arguments stand in `rules`.
"""

ALLOWED = frozenset(
    """
    accept accept4 access adjtimex alarm arch_prctl bind brk capget capset chdir chmod chown clock_adjtime
    clock_getres clock_gettime clock_nanosleep close close_range connect copy_file_range creat dup dup2 dup3
    epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 execve execveat exit
    exit_group faccessat faccessat2 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fgetxattr flistxattr
    flock fork fremovexattr fsetxattr fstat fstatfs ftruncate futex futex_requeue futex_wait futex_waitv futex_wake
    futimesat get_mempolicy get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid geteuid getgid
    getgroups getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid
    getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid getxattr ioprio_get ioprio_set kill
    landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lgetxattr link linkat listen listxattr
    llistxattr lremovexattr lseek lsetxattr lstat madvise map_shadow_stack mbind membarrier memfd_create mincore
    mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mprotect mq_getsetattr mq_notify mq_open mq_timedreceive
    mq_timedsend mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap nanosleep
    newfstatat pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll prctl
    pread64 preadv process_mrelease pselect6 pwrite64 pwritev read readahead readlink readlinkat readv recvfrom
    recvmmsg recvmsg remap_file_pages removexattr rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction
    rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo
    sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
    sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield select
    semctl semget semop semtimedop sendmmsg sendmsg sendto set_robust_list set_thread_area set_tid_address setfsgid
    setfsuid setgid setgroups setitimer setpgid setpriority setregid setresgid setresuid setreuid setsid setsockopt
    setuid setxattr shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 stat statfs statx symlink
    symlinkat sysinfo tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_settime
    timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask uname unlink unlinkat utime utimensat
    utimes vfork wait4 waitid write writev
    """.split()
)

# Refused with EPERM, where a program expects a reason; every other call that is not allowed does not exist for it
# (ENOSYS), so that C libraries take their fall-backs.
REFUSED = frozenset(
    """
    acct add_key bpf chroot clock_settime delete_module fanotify_init finit_module fsconfig fsmount fsopen fspick
    init_module ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie mount mount_setattr move_mount
    move_pages migrate_pages name_to_handle_at open_by_handle_at open_tree perf_event_open pidfd_getfd pivot_root
    process_madvise process_vm_readv process_vm_writev ptrace quotactl quotactl_fd reboot request_key set_mempolicy
    setdomainname sethostname setns settimeofday swapoff swapon syslog umount2 unshare userfaultfd vhangup
    """.split()
)

# "Not for such files" (EINVAL), upon which libraries read and write instead. They move pages of the page cache, those
# of the toolchains' files among them, into pipes, where a flaw of the kernel has let programs change them.
COPIES_BY_PAGE = frozenset({"splice", "tee", "vmsplice", "sendfile"})

# Done at once: everything that a program can write is in memory. On the toolchains' files, or on everything, a flush
# would only keep the host's disk busy.
FLUSHES = frozenset({"sync", "syncfs", "fsync", "fdatasync", "sync_file_range"})
