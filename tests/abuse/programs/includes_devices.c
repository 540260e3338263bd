/* Includes a host file, and what never ends. */
#include "/etc/shadow"
#include "/proc/1/environ"
#include "/dev/stdin"
int main(void) { return UNDEFINED; }
