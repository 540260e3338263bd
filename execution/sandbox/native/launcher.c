/* launcher: starts sandboxes for the supervisor, which keeps one of these running.
 *
 * It is small, so forking it is cheap, and it takes the last steps on the host in the child, so that neither it nor the
 * supervisor waits for them (joining a memory cgroup takes the kernel 6-16 ms).
 *
 *   launcher FILTER INIT         descriptor 3: a sequenced-packet socket to the supervisor
 *
 * In:   u32 id, u32 uid, u32 open files, u32 cgroups, u64 file size, then NUL-terminated strings: the cgroup.procs
 *       files to join, and the command. Rides along: the sandbox's control socket, and the network namespace to enter
 *       where there is one to use again.
 * Out:  u32 id, i32 pid when started; the same with pid 0 when it has ended.
 *
 * The child joins the cgroups, enters a network namespace of its own (whose loopback stays down), keeps to a few of the
 * host's processors, sets the resource limits that cgroups lack, becomes the user (and the group of that number) for good, and executes the command with
 * /dev/null on 0 and 1, this process's log on 2, the control socket on 3, FILTER opened on 4 and INIT on 5.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SUPERVISOR 3
#define MAX_REQUEST 65536
#define MAX_STRINGS 256
#define MAX_SANDBOXES 4096
/* Runtimes start a thread for each processor that they may use. Their quota is a time, which most of them don't see, so
 * that on a large host they would meet the limit of processes before the program has begun. */
#define MAX_PROCESSORS 8

struct request {
    uint32_t id, uid, open_files, cgroups;
    uint64_t file_size;
};

struct report {
    uint32_t id;
    int32_t pid;
};

static const char *filter, *init;
static struct report running[MAX_SANDBOXES];

static void fail(const char *what) {
    fprintf(stderr, "launcher: %s: %s\n", what, strerror(errno));
    _exit(125);
}

static void limit(int resource, rlim_t value, const char *name) {
    struct rlimit both = {value, value};
    if (setrlimit(resource, &both) < 0) fail(name);
}

/* Puts a descriptor at its number, whatever stands there now. */
static void place(int fd, int number) {
    if (fd < 0 || dup2(fd, number) < 0) fail("descriptor");
}

/* MAX_PROCESSORS of those that we may use; which, depends on the sandbox's user, so that they spread over the host. */
static void choose_processors(uint32_t uid) {
    cpu_set_t ours, chosen;
    if (sched_getaffinity(0, sizeof ours, &ours) < 0) return; /* more than the C library counts */
    unsigned count = (unsigned)CPU_COUNT(&ours), first = uid % (count / MAX_PROCESSORS + 1) * MAX_PROCESSORS;
    if (count <= MAX_PROCESSORS) return;
    CPU_ZERO(&chosen);
    for (unsigned cpu = 0, number = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &ours) && (number++ + count - first) % count < MAX_PROCESSORS) CPU_SET(cpu, &chosen);
    if (sched_setaffinity(0, sizeof chosen, &chosen) < 0) fail("processors");
}

static void become_sandbox(const struct request *request, char **strings, int control, int network) {
    for (uint32_t i = 0; i < request->cgroups; i++) {
        int procs = open(strings[i], O_WRONLY | O_CLOEXEC);
        if (procs < 0 || write(procs, "0", 1) != 1) fail(strings[i]);
        close(procs);
    }
    if ((network >= 0 ? setns(network, CLONE_NEWNET) : unshare(CLONE_NEWNET)) < 0) fail("network namespace");
    choose_processors(request->uid);
    /* 1, not 0: the kernel then leaves also a core dump program of the host alone (core(5)). */
    limit(RLIMIT_CORE, 1, "core size");
    limit(RLIMIT_NOFILE, request->open_files, "open files");
    limit(RLIMIT_FSIZE, request->file_size, "file size");
    limit(RLIMIT_MEMLOCK, 65536, "locked memory");
    limit(RLIMIT_MSGQUEUE, 819200, "message queues");
    limit(RLIMIT_SIGPENDING, 4096, "pending signals");
    limit(RLIMIT_NICE, 0, "priority");
    limit(RLIMIT_RTPRIO, 0, "real-time priority");
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    place(null, 0);
    place(null, 1);
    place(control, 3);
    place(open(filter, O_RDONLY | O_CLOEXEC), 4);
    place(open(init, O_RDONLY | O_CLOEXEC), 5);
    if (request->uid == 0) {
        errno = EINVAL;
        fail("user 0");
    }
    uid_t uid = request->uid;
    if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0) fail("user");
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    char *no_environment[] = {NULL};
    execve(strings[request->cgroups], strings + request->cgroups, no_environment);
    fail(strings[request->cgroups]);
}

static void tell(uint32_t id, int32_t pid) {
    struct report report = {id, pid};
    while (send(SUPERVISOR, &report, sizeof report, MSG_NOSIGNAL) < 0)
        if (errno != EINTR) exit(0);
}

static void start(void) {
    static char buffer[MAX_REQUEST];
    char ancillary[CMSG_SPACE(2 * sizeof(int))];
    struct iovec part = {buffer, sizeof buffer - 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = ancillary, .msg_controllen = sizeof ancillary};
    ssize_t size = recvmsg(SUPERVISOR, &message, MSG_CMSG_CLOEXEC);
    if (size < 0 && errno == EINTR) return;
    if (size < (ssize_t)sizeof(struct request)) exit(0); /* the supervisor has gone */
    int fds[2] = {-1, -1};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    if (c && c->cmsg_type == SCM_RIGHTS) memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));

    struct request request;
    memcpy(&request, buffer, sizeof request);
    buffer[size] = 0;
    char *strings[MAX_STRINGS];
    size_t count = 0;
    for (char *s = buffer + sizeof request; s < buffer + size && count < MAX_STRINGS - 1; s += strlen(s) + 1)
        strings[count++] = s;
    strings[count] = NULL;

    struct report *place_for = NULL;
    for (size_t i = 0; i < MAX_SANDBOXES && !place_for; i++)
        if (running[i].pid == 0) place_for = &running[i];
    pid_t pid = place_for && count > request.cgroups ? fork() : -1;
    if (pid == 0) {
        setpgid(0, 0); /* a Ctrl-C at the supervisor's terminal is not for the sandboxes */
        become_sandbox(&request, strings, fds[0], fds[1]);
    }
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0) close(fds[i]);
    if (pid > 0) {
        *place_for = (struct report){request.id, pid};
        tell(request.id, pid);
    } else {
        tell(request.id, 0);
    }
}

static void reap(int signals) {
    struct signalfd_siginfo ignored;
    while (read(signals, &ignored, sizeof ignored) > 0) {}
    pid_t pid;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
        for (size_t i = 0; i < MAX_SANDBOXES; i++)
            if (running[i].pid == pid) {
                running[i].pid = 0;
                tell(running[i].id, 0);
                break;
            }
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: launcher FILTER INIT\n");
        return 125;
    }
    filter = argv[1];
    init = argv[2];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "launcher");
    fcntl(SUPERVISOR, F_SETFD, FD_CLOEXEC);
    sigset_t watched;
    sigemptyset(&watched);
    sigaddset(&watched, SIGCHLD);
    sigaddset(&watched, SIGINT); /* the supervisor decides when to end */
    sigaddset(&watched, SIGTERM);
    sigprocmask(SIG_BLOCK, &watched, NULL);
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    int signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0) fail("signals");
    for (;;) {
        struct pollfd waits[2] = {{SUPERVISOR, POLLIN, 0}, {signals, POLLIN, 0}};
        if (poll(waits, 2, -1) < 0) continue;
        if (waits[1].revents) reap(signals);
        if (waits[0].revents) start();
    }
}
