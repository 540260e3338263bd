/* init: process 1 of a sandbox. It waits for orders on descriptor 3, a stream socket to the supervisor, runs one
 * program at a time, and reports its wait status and wall time.
 *
 * It is the only trusted process inside: as process 1 of its pid namespace no signal from inside can end or stop it,
 * and as a non-dumpable process its memory and descriptors cannot be opened through /proc by the program.
 *
 * Frame, both ways: u32 length of the payload (host order), u8 kind, payload.
 *   in   F  path NUL content             write a file below the work dir, making its folders
 *        X  argv and environment         run a program; its descriptors from 0 on ride along: stdin, stdout, stderr, and
 *                                        for a kernel the channel to the supervisor
 *        H  path NUL gate NUL argv, environment
 *                                        the same, but with a FIFO at `path`: the program starts now and blocks when
 *                                        it opens its source. With a `gate` the FIFO is there instead, and an empty
 *                                        file at `path`
 *        G  content                      the source of an H program: becomes the file at `path` and goes down the FIFO,
 *                                        unless that is a gate, which is only opened
 *        B  u8 f|e|l, path NUL content   write a file below the build dir, likewise: a plain file, an executable one, or
 *                                        a symbolic link to `content`
 *        K                               kill everything that runs
 *        D  "work" or "build"            answer with a descriptor of that dir
 *   These are about files of the work dir at any time (files.c), one after the other, each with one A in the end:
 *        L                               list what lies below
 *        O  u64 most, path NUL           read a regular file of at most that size; content after the A
 *        P  u32 size, path NUL, content  write a file, making its folders and taking the place of what has the name;
 *                                        `size` is the path's, NUL counted
 *        U  path NUL                     remove a file
 *   out  I                               the sandbox is up
 *        R                               ready: an H program waits for its source
 *        E  i32 status, i32 errno, u64   a program ended: wait status, errno when it could not be started, wall ns
 *        F  i32 errno                    a file could not be written (nothing is sent when it could)
 *        D                               the descriptor of the dir rides along
 *        L  entries                      u64 size, i64 mtime in ns, path NUL each; regular files alone
 *        A  i32 errno, u64 size          done, or why not; of L: E2BIG where not all are listed
 *        C  content                      of O, the last one empty
 * argv and environment: u32 argc, u32 envc, then argc + envc NUL-terminated strings.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONTROL 3
#define MAX_DESCRIPTORS 4
#define MAX_FRAME (64u << 20)
#define WORK "/work"
#define BUILD "/build"

static int work_dir, build_dir;
static int signals;
static int *start_error;      /* shared with the child between fork and exec */
static pid_t program;         /* 0: none runs */
static uint64_t started_ns;
static int fifo = -1;         /* write end towards an H program */
static char *source_path;     /* where its source belongs */
static char *gate_path;       /* where its FIFO is; NULL: in the source's place */

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Without the supervisor there is nobody to serve: the sandbox ends with its process 1. */
static void quit(void) { _exit(0); }

static void read_exactly(void *buffer, size_t size) {
    for (char *p = buffer; size;) {
        ssize_t n = read(CONTROL, p, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) quit();
        p += n;
        size -= (size_t)n;
    }
}

static int write_all(int fd, const char *data, size_t size) {
    while (size) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

/* How frames come and go: here over a socket; inside a container by way of the relay (../docker/relay.c). */
static void send_frame(char kind, const void *payload, uint32_t size, int fd);
static uint32_t read_header(char *kind, int fds[MAX_DESCRIPTORS]);

#ifdef WITHIN_RELAY
static int to_relay;
#define ANSWERS to_relay
#else
#define ANSWERS CONTROL
static void send_frame(char kind, const void *payload, uint32_t size, int fd) {
    char frame[64], ancillary[CMSG_SPACE(sizeof(int))] = {0};
    memcpy(frame, &size, 4);
    frame[4] = kind;
    memcpy(frame + 5, payload, size);
    struct iovec part = {frame, 5 + size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = ancillary;
        message.msg_controllen = sizeof ancillary;
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof(int));
    }
    while (sendmsg(CONTROL, &message, MSG_NOSIGNAL) < 0)
        if (errno != EINTR) quit();
}

/* Reads the header of a frame and the descriptors that ride along; those not sent are -1. */
static uint32_t read_header(char *kind, int fds[MAX_DESCRIPTORS]) {
    char header[5], ancillary[CMSG_SPACE(MAX_DESCRIPTORS * sizeof(int))];
    struct iovec part = {header, sizeof header};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = ancillary, .msg_controllen = sizeof ancillary};
    for (int i = 0; i < MAX_DESCRIPTORS; i++) fds[i] = -1;
    ssize_t n;
    while ((n = recvmsg(CONTROL, &message, MSG_CMSG_CLOEXEC)) < 0)
        if (errno != EINTR) quit();
    if (n == 0) quit();
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            size_t bytes = c->cmsg_len - CMSG_LEN(0);
            size_t most = MAX_DESCRIPTORS * sizeof(int);
            memcpy(fds, CMSG_DATA(c), bytes < most ? bytes : most);
        }
    if (n < 5) read_exactly(header + n, 5 - (size_t)n);
    uint32_t size;
    memcpy(&size, header, 4);
    *kind = header[4];
    if (size > MAX_FRAME) quit();
    return size;
}
#endif

/* Only the supervisor's files are written here, before any program ran: there is no link to follow yet, and
 * O_NOFOLLOW and O_EXCL keep it so. The path was validated by the caller to stay below the work dir. */
static int make_folders(int dir, char *path) {
    for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        int failed = mkdirat(dir, path, 0755) < 0 && errno != EEXIST;
        *slash = '/';
        if (failed) return errno;
    }
    return 0;
}

static int write_file(int dir, char *path, const char *content, size_t size, mode_t mode) {
    int error = make_folders(dir, path);
    if (error) return error;
    int fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0) return errno;
    error = write_all(fd, content, size);
    close(fd);
    return error;
}

static int write_build(char *payload, size_t size) {
    char *path = payload + 1, *content = path + strlen(path) + 1;
    if (content > payload + size) return EINVAL;
    int error = make_folders(build_dir, path);
    if (error) return error;
    if (payload[0] == 'l') return symlinkat(content, build_dir, path) < 0 ? errno : 0;
    return write_file(build_dir, path, content, (size_t)(payload + size - content), payload[0] == 'e' ? 0755 : 0644);
}

#include "files.c"

static void ended(int status, int error, uint64_t wall_ns) {
    struct __attribute__((packed)) { int32_t status, error; uint64_t wall_ns; } report = {status, error, wall_ns};
    send_frame('E', &report, sizeof report, -1);
}

/* Kills and reaps whatever is left. One kill(-1) is enough even against a fork bomb: a fork with a signal pending
 * fails, and process 1 is never its target. */
static void kill_all(void) {
    kill(-1, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {}
}

static void start(char *payload, size_t size, const int fds[MAX_DESCRIPTORS]) {
    uint32_t counts[2];
    if (size < sizeof counts) quit();
    memcpy(counts, payload, sizeof counts);
    size_t total = (size_t)counts[0] + counts[1];
    if (total > size) quit();
    char **strings = calloc(total + 2, sizeof *strings);
    if (!strings) quit();
    char *next = payload + sizeof counts;
    for (size_t i = 0; i < total; i++) {
        strings[i < counts[0] ? i : i + 1] = next;
        next += strlen(next) + 1;
    }
    *start_error = 0;
    started_ns = now_ns();
    program = fork();
    if (program == 0) {
        /* The program goes first when memory runs out, not process 1. The file opens to dumpable processes only. */
        prctl(PR_SET_DUMPABLE, 1);
        int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
        if (score >= 0) {
            (void)!write(score, "1000", 4);
            close(score);
        }
        setsid();
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        signal(SIGPIPE, SIG_DFL);
        for (int i = 0; i < MAX_DESCRIPTORS && fds[i] >= 0; i++)
            if (dup2(fds[i], i) < 0) _exit(127);
        if (fchdir(work_dir) == 0) execve(strings[0], strings, strings + counts[0] + 1);
        *start_error = errno;
        _exit(127);
    }
    free(strings);
    for (int i = 0; i < MAX_DESCRIPTORS && fds[i] >= 0; i++) close(fds[i]);
    if (program < 0) {
        program = 0;
        ended(0, errno, 0);
    }
}

static void interrupt(int number) { (void)number; }

/* Waits until the program has opened its FIFO, that is, until its interpreter is up. The timer interrupts the wait now
 * and then, for a program that ended before it read its source, or a supervisor that left. */
static void wait_for_reader(void) {
    struct itimerval often = {{0, 200000}, {0, 200000}}, never = {{0, 0}, {0, 0}};
    struct pollfd waits[2] = {{CONTROL, POLLRDHUP, 0}, {signals, POLLIN, 0}};
    setitimer(ITIMER_REAL, &often, NULL);
    while ((fifo = openat(work_dir, gate_path ? gate_path : source_path, O_WRONLY | O_CLOEXEC)) < 0)
        if (errno != EINTR || poll(waits, 2, 0) > 0) break;
    setitimer(ITIMER_REAL, &never, NULL);
    if (fifo >= 0) send_frame('R', NULL, 0, -1);
}

static void go(char *source, size_t size) {
    if (fifo < 0) quit();
    int error = unlinkat(work_dir, source_path, 0) < 0 ? errno : write_file(work_dir, source_path, source, size, 0644);
    if (gate_path) unlinkat(work_dir, gate_path, 0);
    if (error) send_frame('F', &error, sizeof error, -1);
    started_ns = now_ns();
    if (!gate_path) write_all(fifo, source, size); /* EPIPE: the program ended before it read all; its status tells */
    close(fifo);
    fifo = -1;
}

static void order(void) {
    char kind;
    int fds[MAX_DESCRIPTORS];
    uint32_t size = read_header(&kind, fds);
    if (kind == 'P') {
        write_work_file(size);
        return;
    }
    char *payload = malloc((size_t)size + 1);
    if (!payload) quit();
    read_exactly(payload, size);
    payload[size] = 0;
    size_t path_size = strlen(payload) + 1;
    int error;
    switch (kind) {
    case 'F':
        error = path_size > size ? EINVAL : write_file(work_dir, payload, payload + path_size, size - path_size, 0644);
        if (error) send_frame('F', &error, sizeof error, -1);
        break;
    case 'B':
        error = write_build(payload, size);
        if (error) send_frame('F', &error, sizeof error, -1);
        break;
    case 'X':
        start(payload, size, fds);
        break;
    case 'H':
        if (path_size >= size) quit();
        char *gate = payload + path_size, *rest = gate + strlen(gate) + 1;
        source_path = strdup(payload);
        gate_path = *gate ? strdup(gate) : NULL;
        if (rest > payload + size || !source_path || (*gate && !gate_path)) quit();
        if (gate_path && write_file(work_dir, source_path, NULL, 0, 0644)) quit();
        if (mkfifoat(work_dir, gate_path ? gate_path : source_path, 0644) < 0) quit();
        start(rest, (size_t)(payload + size - rest), fds);
        if (program) wait_for_reader();
        break;
    case 'G':
        go(payload, size);
        break;
    case 'K':
        kill(-1, SIGKILL);
        break;
    case 'L':
        list_work_dir();
        break;
    case 'O':
        if (size <= sizeof(uint64_t)) quit();
        uint64_t most;
        memcpy(&most, payload, sizeof most);
        read_work_file(payload + sizeof most, most);
        break;
    case 'U':
        remove_work_file(payload);
        break;
    case 'D':
        send_frame('D', NULL, 0, payload[0] == 'b' ? build_dir : work_dir);
        break;
    default:
        quit();
    }
    free(payload);
}

/* Orphans of the program are reaped as they end; when the program itself ended, the rest is killed at once. */
static void reap(void) {
    struct signalfd_siginfo ignored;
    while (read(signals, &ignored, sizeof ignored) > 0) {}
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == program) {
            uint64_t wall_ns = now_ns() - started_ns;
            kill_all();
            program = 0;
            ended(status, *start_error, wall_ns);
            return;
        }
}

int main(void) {
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_NAME, "init");
    signal(SIGPIPE, SIG_IGN);
    umask(022);
    for (int fd = 4; fd < 16; fd++) close(fd);
    fcntl(CONTROL, F_SETFD, FD_CLOEXEC);
    work_dir = open(WORK, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    build_dir = open(BUILD, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    start_error = mmap(NULL, sizeof *start_error, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = interrupt}, NULL); /* without SA_RESTART */
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, NULL);
    signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    if (work_dir < 0 || build_dir < 0 || start_error == MAP_FAILED || signals < 0) return 1;
    send_frame('I', NULL, 0, -1);
    for (;;) {
        struct pollfd waits[2] = {{CONTROL, POLLIN, 0}, {signals, POLLIN, 0}};
        if (poll(waits, 2, -1) < 0) continue;
        if (waits[1].revents) reap();
        if (waits[0].revents) order();
    }
}
