/* Eight threads that never rest. */
#include <pthread.h>

static void *burn(void *nothing) {
    for (volatile long n = 0;; n++) {}
    return nothing;
}

int main(void) {
    pthread_t thread;
    for (int i = 0; i < 7; i++) pthread_create(&thread, 0, burn, 0);
    burn(0);
}
