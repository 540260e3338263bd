/* Writes to stderr without end. */
#include <unistd.h>

int main(void) {
    static char block[65536];
    for (;;) (void)!write(2, block, sizeof block);
}
