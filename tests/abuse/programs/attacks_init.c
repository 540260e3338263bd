/* Tries to end, stop or starve process 1 of its sandbox: its limits, its priority, every signal, by every way that
 * sends one; at last it floods it with signals and dead children. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void attempt(const char *name, long result) {
    if (result >= 0) printf("%s: ALLOWED\n", name);
    else printf("%s: refused %d\n", name, errno);
}

int main(void) {
    struct rlimit least = {0, 0}, now;
    attempt("CPU limit", prlimit(1, RLIMIT_CPU, &least, NULL));
    attempt("memory limit", prlimit(1, RLIMIT_AS, &least, NULL));
    attempt("descriptor limit", prlimit(1, RLIMIT_NOFILE, &least, NULL));
    attempt("CPU limit by a longer number", syscall(SYS_prlimit64, 0x100000001L, RLIMIT_CPU, &least, NULL));
    attempt("core limit", setrlimit(RLIMIT_CORE, &least));
    attempt("real-time", sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){1}));
    attempt("real-time of init", sched_setscheduler(1, SCHED_RR, &(struct sched_param){1}));
    attempt("higher priority", setpriority(PRIO_PROCESS, 0, -5));
    printf("limits of init: refused (%d)\n", prlimit(1, RLIMIT_CPU, NULL, &now));

    for (int number = 1; number < 65; number++) {
        kill(1, number);
        sigqueue(1, number, (union sigval){0});
        syscall(SYS_tgkill, 1, 1, number);
    }
    int init = pidfd_open(1, 0);
    pidfd_send_signal(init, SIGKILL, NULL, 0);
    syscall(SYS_process_mrelease, init, 0);
    int pair[2], kinds[] = {SIGKILL, SIGSTOP, SIGALRM, SIGCHLD};
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0)
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            fcntl(pair[0], F_SETOWN, 1);
            fcntl(pair[0], F_SETSIG, kinds[i]);
            fcntl(pair[0], F_SETFL, O_ASYNC | O_NONBLOCK);
            (void)!write(pair[1], "x", 1);
        }
    for (int i = 0; i < 200000; i++) kill(1, i & 1 ? SIGCHLD : SIGALRM);
    for (int i = 0; i < 2000; i++)
        if (fork() == 0) {
            if (fork() == 0) _exit(0);
            _exit(0);
        }
    printf("done\n");
    return 0;
}
