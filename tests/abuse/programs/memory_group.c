/* Sixteen processes of 60 MB each: none is over the limit, all together are. The parent shrugs off what happens. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    for (int i = 0; i < 16; i++)
        if (fork() == 0) {
            volatile char *block = malloc(60 << 20);
            for (long i = 0; block && i < 60 << 20; i += 4096) block[i] = 1;
            sleep(20);
            _exit(0);
        }
    while (wait(NULL) > 0) {}
    return 0;
}
