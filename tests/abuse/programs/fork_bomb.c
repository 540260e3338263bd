/* Forks until the kernel refuses, says how far it got, and then goes off as a bomb: every child forks for ever. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static void explode(int number) {
    (void)number;
    for (;;) fork();
}

int main(void) {
    int count = 1;
    signal(SIGUSR1, explode);
    pid_t pid;
    while ((pid = fork()) > 0) count++;
    if (pid == 0)
        for (;;) pause();
    printf("tasks %d errno %d\n", count, errno);
    fflush(stdout);
    kill(0, SIGUSR1);
    explode(0);
}
