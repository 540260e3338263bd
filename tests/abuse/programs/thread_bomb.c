/* Starts threads until no more can be had. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static void *wait_for_ever(void *nothing) {
    pause();
    return nothing;
}

int main(void) {
    int count = 1;
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    for (pthread_t thread; pthread_create(&thread, &small, wait_for_ever, NULL) == 0;) count++;
    printf("tasks %d\n", count);
    fflush(stdout);
    _exit(0);
}
