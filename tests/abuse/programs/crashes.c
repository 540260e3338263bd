/* Crashes five hundred times, and each time a little differently: the kernel tells its log of such ends. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    int died = 0;
    for (int i = 0; i < 500; i++) {
        if (fork() == 0) {
            if (i % 3 == 0) *(volatile int *)(long)(i * 4096) = 1;
            if (i % 3 == 1) __builtin_trap();
            __asm__ volatile("hlt");
        }
        int status;
        wait(&status);
        died += WIFSIGNALED(status);
    }
    printf("%d\n", died);
}
