/* Has the assembler and the preprocessor take in files of the host, and prints what they got. */
#include <stdio.h>

#if __has_include("/etc/shadow") || __has_include("/root/.bashrc") || __has_include("/run/runcode")
#define HOST "ALLOWED"
#else
#define HOST "refused (not there)"
#endif
static const unsigned char environ[] = {
#embed "/proc/self/environ" limit(4096) suffix(, )
    0};
static const unsigned char names[] = {
#embed "/etc/passwd" limit(4096) suffix(, )
    0};

int main(void) {
    for (size_t i = 0; i + 1 < sizeof environ; i++) putchar(environ[i] ? environ[i] : '\n');
    fwrite(names, 1, sizeof names - 1, stdout);
    printf("host files: %s\ndone\n", HOST);
}
