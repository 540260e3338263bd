/* launch: the last steps on the host before bubblewrap takes over, in the child, so that the supervisor never waits for
 * them (joining a memory cgroup takes the kernel 6-16 ms).
 *
 *   launch UID OPEN_FILES FILE_SIZE CGROUP_PROCS... -- PROGRAM ARGUMENT...
 *
 * Joins each cgroup, enters a network namespace of its own (whose loopback stays down), sets the resource limits that
 * cgroups lack, becomes UID (and the group of that number) for good, and executes PROGRAM.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void fail(const char *what) {
    fprintf(stderr, "launch: %s: %s\n", what, strerror(errno));
    exit(125);
}

static void limit(int resource, rlim_t soft, rlim_t hard, const char *name) {
    struct rlimit value = {soft, hard};
    if (setrlimit(resource, &value) < 0) fail(name);
}

int main(int argc, char **argv) {
    if (argc < 6) {
        fprintf(stderr, "usage: launch UID OPEN_FILES FILE_SIZE CGROUP_PROCS... -- PROGRAM ARGUMENT...\n");
        return 125;
    }
    uid_t uid = (uid_t)strtoul(argv[1], NULL, 10);
    rlim_t open_files = strtoul(argv[2], NULL, 10), file_size = strtoul(argv[3], NULL, 10);
    int i = 4;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        int procs = open(argv[i], O_WRONLY | O_CLOEXEC);
        if (procs < 0 || write(procs, "0", 1) != 1) fail(argv[i]);
        close(procs);
    }
    if (i + 1 >= argc || uid == 0) {
        fprintf(stderr, "launch: no program, or user 0\n");
        return 125;
    }
    if (unshare(CLONE_NEWNET) < 0) fail("network namespace");
    limit(RLIMIT_CORE, 0, 0, "core size");
    limit(RLIMIT_NOFILE, open_files, open_files, "open files");
    limit(RLIMIT_FSIZE, file_size, file_size, "file size");
    limit(RLIMIT_MEMLOCK, 65536, 65536, "locked memory");
    limit(RLIMIT_MSGQUEUE, 819200, 819200, "message queues");
    if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0) fail("user");
    execv(argv[i + 1], argv + i + 1);
    fail(argv[i + 1]);
}
