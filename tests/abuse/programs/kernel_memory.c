/* Fills the kernel's memory, which belongs to no process, with one kind of object: the first argument names it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static char block[65536];

static long pipes(void) {
    long count = 0;
    for (int child = 0; child < 60; child++)
        if (fork() == 0) {
            for (int ends[2]; pipe2(ends, O_NONBLOCK) == 0;) {
                fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
                while (write(ends[1], block, sizeof block) > 0) {}
            }
            for (;;) pause();
        } else count++;
    sleep(1);
    return count;
}

static long sockets(void) {
    long count = 0;
    for (int ends[2]; socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends) == 0; count++) {
        setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &(int){1 << 30}, sizeof(int));
        while (write(ends[0], block, sizeof block) > 0) {}
    }
    return count;
}

static long signals(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    long count = 0;
    while (sigqueue(getpid(), SIGRTMIN, (union sigval){0}) == 0) count++;
    return count;
}

static long timers(void) {
    struct sigevent quiet = {.sigev_notify = SIGEV_NONE};
    long count = 0;
    for (timer_t timer; timer_create(CLOCK_MONOTONIC, &quiet, &timer) == 0;) count++;
    return count;
}

static long watches(void) {
    long count = 0;
    int events[400];
    for (int i = 0; i < 400; i++) events[i] = eventfd(0, 0);
    for (int poll = epoll_create1(0); poll >= 0; poll = epoll_create1(0))
        for (int i = 0; i < 400; i++)
            if (epoll_ctl(poll, EPOLL_CTL_ADD, events[i], &(struct epoll_event){EPOLLIN, {0}}) == 0) count++;
    return count;
}

static long locks(void) {
    int file = open("/work/locked", O_RDWR | O_CREAT, 0600);
    long count = 0;
    for (struct flock lock = {.l_whence = SEEK_SET, .l_len = 1}; count < 30000; count++, lock.l_start += 2) {
        lock.l_type = count & 1 ? F_WRLCK : F_RDLCK;
        if (fcntl(file, F_SETLK, &lock) < 0) break;
    }
    return count;
}

static long attributes(void) {
    char name[64];
    for (long count = 0;; count++) {
        snprintf(name, sizeof name, "/work/file%ld", count / 50);
        int file = open(name, O_CREAT | O_RDWR, 0600);
        snprintf(name, sizeof name, "user.attribute%ld", count);
        if (file < 0 || fsetxattr(file, name, block, 60000, 0) < 0) return count;
        close(file);
    }
}

static long queues(void) {
    long count = 0;
    for (int queue; count < 40000 && (queue = msgget(IPC_PRIVATE, 0600)) >= 0; count++)
        while (msgsnd(queue, block, 8000, IPC_NOWAIT) == 0) {}
    return count;
}

static long mappings(void) {
    for (int child = 0; child < 16; child++)
        if (fork() == 0) {
            for (int i = 0; mmap(NULL, 4096, i & 1, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED; i++) {}
            for (;;) pause();
        }
    sleep(1);
    return 16;
}

static long page_tables(void) {
    volatile char *space = mmap(NULL, 1L << 42, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    long count = 0;
    for (; space != MAP_FAILED && count << 21 < 1L << 42; count++) (void)space[count << 21];
    return count;
}

static long folders(void) {
    char name[64];
    for (long count = 0;; count++) {
        snprintf(name, sizeof name, "/tmp/%040ld", count);
        if (mkdir(name, 0700) < 0) return count;
    }
}

static long missing_names(void) {
    char name[64];
    for (long count = 0;; count++) {
        snprintf(name, sizeof name, "/usr/missing%ld", count);
        if (access(name, F_OK) == 0) return count;
    }
}

int main(int argc, char **argv) {
    static const struct { const char *name; long (*fill)(void); } kinds[] = {
        {"pipes", pipes}, {"sockets", sockets}, {"signals", signals}, {"timers", timers}, {"watches", watches},
        {"locks", locks}, {"attributes", attributes}, {"queues", queues}, {"mappings", mappings},
        {"page tables", page_tables}, {"folders", folders}, {"missing names", missing_names},
    };
    for (size_t i = 0; argc > 1 && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(argv[1], kinds[i].name) == 0) {
            printf("%s: %ld\n", argv[1], kinds[i].fill());
            return 0;
        }
    return 2;
}
