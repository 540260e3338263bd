/* probe: looks at the container that it runs in, from inside, so that nobody has to believe that an option took effect.
 *
 * Lines of output, read by proof.py:
 *   file PATH            then the file's lines, each after a tab
 *   try NAME errno       what a call was answered that a program must not make; 0: it worked
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef AF_ALG
#define AF_ALG 38
#endif

static void show(const char *path) {
    char line[4096];
    FILE *file = fopen(path, "r");
    if (!file) return;
    printf("file %s\n", path);
    while (fgets(line, sizeof line, file)) printf("\t%s", line);
    printf("\n");
    fclose(file);
}

static void try(const char *name, long result) { printf("try %s %d\n", name, result < 0 ? errno : 0); }

int main(void) {
    show("/proc/self/status");
    show("/proc/self/mountinfo");
    show("/proc/net/dev");
    show("/sys/fs/cgroup/memory.max");
    show("/sys/fs/cgroup/memory.swap.max");
    show("/sys/fs/cgroup/memory.peak");
    show("/sys/fs/cgroup/pids.max");
    show("/sys/fs/cgroup/cpu.max");
    show("/sys/fs/cgroup/memory/memory.limit_in_bytes");
    show("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes");
    show("/sys/fs/cgroup/memory/memory.max_usage_in_bytes");
    show("/sys/fs/cgroup/pids/pids.max");
    show("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
    try("writing to the root file system", mkdirat(AT_FDCWD, "/written", 0700));
    try("a user namespace", unshare(CLONE_NEWUSER));
    try("a mount", mount("none", "/tmp", "tmpfs", 0, NULL));
    try("a socket of the kernel's cryptography", socket(AF_ALG, SOCK_SEQPACKET, 0));
    try("a netlink socket", socket(AF_NETLINK, SOCK_RAW, 0));
    try("keyrings", syscall(SYS_keyctl, 0, -3, 1, 0, 0));
    try("BPF", syscall(SYS_bpf, 0, NULL, 0));
    try("performance events", syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
    try("tracing", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
    return 0;
}
