/* Refused calls in the other two dialects of this processor: 32-bit and x32; and a socket of every family in them. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static long call32(long number) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(0L), "c"(0L), "d"(0L) : "memory");
    return result;
}

static long call_x32(long number) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number | 0x40000000L), "D"(0L), "S"(0L), "d"(0L) : "rcx", "r11", "memory");
    return result;
}

/* One of the first that is had; -ENOSYS where none is. */
static long sockets32(long number) {
    for (long family = 0; family < 46; family++)
        for (long type = 1; type < 6; type++) {
            long result;
            __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(family), "c"(type), "d"(0L) : "memory");
            if (result >= 0) return family;
        }
    return -ENOSYS;
}

static long sockets_x32(long number) {
    for (long family = 0; family < 46; family++)
        for (long type = 1; type < 6; type++) {
            long result;
            __asm__ volatile("syscall"
                             : "=a"(result)
                             : "a"(number | 0x40000000L), "D"(family), "S"(type), "d"(0L)
                             : "rcx", "r11", "memory");
            if (result >= 0) return family;
        }
    return -ENOSYS;
}

static void attempt(const char *name, long (*call)(long), long number) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        long result = call(number);
        if (result >= 0) printf("%s: ALLOWED\n", name);
        else printf("%s: refused %ld\n", name, -result);
        fflush(stdout);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) printf("%s: refused by signal %d\n", name, WTERMSIG(status));
}

int main(void) {
    attempt("32-bit getpid", call32, 20);
    attempt("32-bit unshare", call32, 310);
    attempt("32-bit socket", call32, 359);
    attempt("32-bit keyctl", call32, 288);
    attempt("x32 getpid", call_x32, 39);
    attempt("x32 unshare", call_x32, 272);
    attempt("x32 ptrace", call_x32, 521);
    attempt("32-bit sockets", sockets32, 359);
    attempt("x32 sockets", sockets_x32, 41);
    printf("done\n");
}
