/* Writes to stdout without end. */
#include <unistd.h>

int main(void) {
    static char block[65536];
    for (;;) (void)!write(1, block, sizeof block);
}
