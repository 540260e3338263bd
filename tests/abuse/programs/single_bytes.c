/* Writes one byte at a time, each as soon as the last has been taken out of the pipe, without end and without rest. */
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(void) {
    for (;;) {
        (void)!write(1, "x", 1);
        for (int waiting = 1; waiting && ioctl(1, FIONREAD, &waiting) == 0;) sched_yield();
    }
}
